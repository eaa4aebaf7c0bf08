/** Event source mappings: what polls queues, streams and brokers, and invokes functions with what is there. */
import { createKinds } from "./kinds.ts";
import type { KindDeps } from "./kinds.ts";
import { Manager } from "./manager.ts";
import type { ManagerDeps } from "./manager.ts";
import { Mappings } from "./mappings.ts";
import { mappings } from "./migrations/001-mappings.ts";
import { servers } from "./migrations/002-servers.ts";
import { prepareStreams } from "./streams/kinds.ts";

export type SourcesDeps = Omit<ManagerDeps, "kinds"> & KindDeps;

export interface Sources {
  /** For Lambda's operations. */
  readonly mappings: Mappings;
  /** Begins to read; called once functions can be invoked. */
  start(): void;
  /** Reads nothing more, and waits at most `graceMs` for what is in flight. */
  stop(graceMs: number): Promise<void>;
}

export async function createSources(deps: SourcesDeps): Promise<Sources> {
  await deps.database.migrate("sources", [mappings, servers]);
  await prepareStreams(deps.database);
  const kinds = createKinds(deps);
  const manager = new Manager({ ...deps, kinds });
  return {
    mappings: new Mappings({ ...deps, kinds }),
    start: () => manager.start(),
    stop: (graceMs) => manager.stop(graceMs),
  };
}
