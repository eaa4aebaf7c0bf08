/** The interpreters of this machine that functions get and that bare runs take: one and the same program. */
import { join } from "node:path";
import { loadConfig } from "../../src/config/index.ts";
import { createRuntimes } from "../../src/invoke/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { nodeHello, pythonHello } from "./handlers.ts";
import type { Language } from "./handlers.ts";

export interface Languages {
  readonly node: Language;
  /** Undefined where this machine has no Python that Lambent could run. */
  readonly python: Language | undefined;
}

const NODE_RUNTIME = "nodejs24.x";

let found: Promise<Languages> | undefined;

/** The same in every axis of a run: asking each interpreter of the machine takes a while. */
export function findLanguages(): Promise<Languages> {
  found ??= find();
  return found;
}

/** Installs Node's runtime where it is not there yet; takes the newest Python that is. */
async function find(): Promise<Languages> {
  const runtimes = createRuntimes({ cacheDir: loadConfig().runtimesDir, log: createLog("warn") });
  const { languageMounts } = await runtimes.install(NODE_RUNTIME);
  const folder = languageMounts.find(({ target }) => target === "/var/lang")?.source ?? "";
  const pythons = (await runtimes.list()).filter(
    ({ identifier, available }) => identifier.startsWith("python") && available,
  );
  const python = pythons.at(-1);
  return {
    node: nodeHello(NODE_RUNTIME, join(folder, "bin/node")),
    python: python && pythonHello(python.identifier, python.detail),
  };
}
