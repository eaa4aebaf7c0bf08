/** Prepares all that sandboxes on runc need, cleaning up first what a killed predecessor left. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ids } from "../../kit/id.ts";
import type { Log } from "../../telemetry/log.ts";
import { readHierarchies } from "../cgroup/hierarchies.ts";
import { createIsolatedNetwork } from "../network/isolated-network.ts";
import type { SandboxProvider } from "../sandbox.ts";
import { ScratchStocks } from "../temporary/scratch-stocks.ts";
import { canMountLoop } from "../temporary/scratch.ts";
import { cleanRemains } from "./clean-remains.ts";
import { createRuncProvider, makeStateFolders } from "./provider.ts";
import { RootSkeletons, sharedFolders } from "./root-skeleton.ts";
import { seccompFilter } from "./seccomp.ts";

export interface StartRuncDeps {
  readonly runc: string;
  readonly stateDir: string;
  readonly serverPorts: readonly number[];
  readonly outbound: "internet" | "none";
  readonly log: Log;
  readonly ids: Ids;
}

/** Sandboxes' costly parts kept ready: enough for a burst of a few cold starts, refilled behind it. */
const READY = 4;

/** @throws SandboxError when the machine does not let us. */
export async function startRuncProvider(deps: StartRuncDeps): Promise<SandboxProvider> {
  const { stateDir, log } = deps;
  await makeStateFolders(stateDir);
  const hierarchies = await readHierarchies();
  const instance = await instanceName(stateDir, deps.ids);
  await cleanRemains({ stateDir, instance, hierarchies });
  await makeStateFolders(stateDir);
  const loop = await canMountLoop(join(stateDir, "scratch"));
  const seccomp = seccompFilter();
  const network = await createIsolatedNetwork({ ...deps, instance, ready: READY });
  return createRuncProvider({
    runc: deps.runc,
    instance,
    stateDir,
    hierarchies,
    network,
    scratch: new ScratchStocks({
      folder: join(stateDir, "scratch"),
      ready: READY,
      limited: loop === true,
      log,
    }),
    roots: new RootSkeletons(join(stateDir, "roots")),
    shared: await sharedFolders(),
    seccomp,
    clean: () => cleanRemains({ stateDir, instance, hierarchies }),
    log,
    isolation: {
      provider: "runc",
      namespaces: true,
      seccomp: seccomp !== undefined,
      memoryLimit: true,
      cpuLimit: true,
      pidsLimit: true,
      tmpLimit: loop === true,
      network: "isolated",
      missing: [
        ...(loop === true
          ? []
          : [`/tmp of a function is not limited, since no file system can be mounted from a file: ${loop}`]),
        ...(seccomp
          ? []
          : [`System calls are not filtered on ${process.arch}; there is no profile for it yet.`]),
      ],
    },
  });
}

/** The same name after a restart, so that a killed predecessor's interfaces, tables and cgroups are found by it. */
async function instanceName(stateDir: string, ids: Ids): Promise<string> {
  const file = join(stateDir, "instance");
  const known = await readFile(file, "utf8").catch(() => "");
  if (/^[0-9a-f]{8}$/.test(known)) return known;
  const name = ids.hex(8);
  await rm(file, { force: true });
  await writeFile(file, name);
  return name;
}
