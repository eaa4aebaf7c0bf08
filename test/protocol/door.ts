/** A front door on a real port whose services are doubles: what arrived is recorded, what they answer is the test's. */
import { createFrontDoor } from "../../src/aws/index.ts";
import type { FrontDoorOptions } from "../../src/aws/index.ts";
import type { KeyRecord } from "../../src/aws/authentication.ts";
import type { RequestContext, Service } from "../../src/aws/service.ts";
import { randomIds } from "../../src/kit/id.ts";
import { systemClock } from "../../src/kit/clock.ts";
import type { Clock } from "../../src/kit/clock.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { listen } from "../../src/server/listen.ts";

// The doubles take and give anything: what the types of real operations promise is what is being tested.
// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type Double = (input: any, context: RequestContext) => unknown;
export type Doubles = Readonly<Record<string, Readonly<Record<string, Double>>>>;

export interface Door {
  readonly endpoint: string;
  readonly port: number;
  /** Lines of the server's log, parsed. */
  readonly logged: Record<string, unknown>[];
  client(options?: object): {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly maxAttempts: number;
    readonly forcePathStyle: true;
  };
  stop(): Promise<void>;
}

export interface DoorSettings {
  readonly services: Doubles;
  readonly authentication?: "off" | "on";
  readonly keys?: Readonly<Record<string, KeyRecord>>;
  readonly clock?: Clock;
  readonly authorize?: FrontDoorOptions["authorize"];
}

export async function startDoor(settings: DoorSettings): Promise<Door> {
  const logged: Record<string, unknown>[] = [];
  const services = Object.entries(settings.services).map(([name, operations]): Service => ({
    name,
    operations: new Map(
      Object.entries(operations).map(([operation, run]) => [
        operation,
        async (input: never, context: RequestContext) => run(input, context),
      ]),
    ),
  }));
  const frontDoor = createFrontDoor({
    services,
    accessKeys: { find: async (id) => settings.keys?.[id], known: (id) => settings.keys?.[id] ?? null },
    authentication: settings.authentication ?? "off",
    clock: settings.clock ?? systemClock,
    ids: randomIds,
    log: createLog("debug", (line) => logged.push(JSON.parse(line) as Record<string, unknown>)),
    defaultRegion: "us-east-1",
    ...(settings.authorize ? { authorize: settings.authorize } : {}),
  });
  const listener = await listen(frontDoor, { host: "127.0.0.1", port: 0 });
  return {
    endpoint: listener.endpoint,
    port: listener.port,
    logged,
    client: (options = {}) => ({
      endpoint: listener.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "000000000000", secretAccessKey: "secret" },
      maxAttempts: 1,
      forcePathStyle: true,
      ...options,
    }),
    stop: () => listener.close(1_000),
  };
}

/** The whole of a streamed body. */
export async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
