/** Prepares all that sandboxes on an OCI runtime need, cleaning up first what a killed predecessor left. */
import { join } from "node:path";
import type { Outbound } from "../../config/outbound.ts";
import type { Ids } from "../../kit/id.ts";
import type { Log } from "../../telemetry/log.ts";
import { readHierarchies } from "../cgroup/hierarchies.ts";
import type { Hierarchies } from "../cgroup/hierarchies.ts";
import type { FindingName, MachineReport } from "../machine.ts";
import { createHostNetwork } from "../network/host-network.ts";
import { createIsolatedNetwork } from "../network/isolated-network.ts";
import type { Network } from "../network/network.ts";
import { tryProgram } from "../run-program.ts";
import type { Isolation, SandboxProvider } from "../sandbox.ts";
import { SandboxError } from "../sandbox.ts";
import { ScratchStocks } from "../temporary/scratch-stocks.ts";
import { canMountLoop } from "../temporary/scratch.ts";
import { checkpointNames } from "./checkpoint.ts";
import { cleanRemains } from "./clean-remains.ts";
import { createRuncProvider, makeStateFolders } from "./provider.ts";
import { ImageTools } from "./image-tools.ts";
import { ociRuntime } from "./oci-runtime.ts";
import type { OciRuntime, OciRuntimeName } from "./oci-runtime.ts";
import { canMountLate } from "./late-mounts.ts";
import { mountCalls } from "./mount-calls.ts";
import { RootSkeletons, sharedFolders } from "./root-skeleton.ts";
import { userNamespace } from "./rootless.ts";
import { seccompFilter } from "./seccomp.ts";
import { claimInstance, forgetServer, instanceName, lostServers } from "./server-records.ts";

export interface StartOciDeps {
  readonly machine: MachineReport;
  readonly runtime: OciRuntimeName;
  readonly stateDir: string;
  readonly serverPorts: readonly number[];
  readonly outbound: Outbound;
  /** Name servers that functions ask; the host's when empty. */
  readonly resolvers: readonly string[];
  readonly log: Log;
  readonly ids: Ids;
}

/** Sandboxes' costly parts kept ready: enough for a burst of a few cold starts, refilled behind it. */
const READY = 4;
/** Network slots kept ready; half of them are made at once. */
const SLOTS_READY = 8;

/** Builds the provider, as root or rootless. @throws SandboxError when the machine does not let us. */
export async function startOciProvider(deps: StartOciDeps): Promise<SandboxProvider> {
  const { stateDir, log } = deps;
  const rootless = deps.machine.provider === "runc-rootless" ? await userNamespace() : undefined;
  const hierarchies = rootless ? undefined : await readHierarchies();
  const runtime = await ociRuntime(deps.runtime, hierarchies);
  await makeStateFolders(stateDir);
  const isRoot = rootless === undefined;
  const instance = await (isRoot ? claimInstance : instanceName)(stateDir, deps.ids);
  const remains = { stateDir, instance, hierarchies, network: isRoot };
  if (isRoot) await cleanLost(hierarchies, log);
  await cleanRemains(remains);
  await makeStateFolders(stateDir);
  const [loop, network] = await Promise.all([
    rootless ? "mounting needs root" : canMountLoop(join(stateDir, "scratch")),
    openNetwork(deps, instance, runtime),
  ]);
  const shared = await sharedFolders();
  const seccomp = seccompFilter(runtime.hasOwnKernel ? "gvisor" : "native");
  const mounts = mountCalls();
  const lateMounts =
    rootless === undefined && !runtime.hasOwnKernel && (await canMountLate(mounts, stateDir));
  return createRuncProvider({
    runtime,
    instance,
    stateDir,
    hierarchies,
    userNamespace: rootless?.namespace,
    network: network.network,
    scratch: new ScratchStocks({
      folder: join(stateDir, "scratch"),
      ready: READY,
      limited: loop === true,
      log,
    }),
    roots: new RootSkeletons(join(stateDir, "roots")),
    imageTools: new ImageTools(join(stateDir, "roots", "image-tools")),
    shared,
    seccomp,
    mounts: lateMounts ? mounts : undefined,
    checkpoints:
      runtime.hasOwnKernel && isRoot
        ? await checkpointNames(runtime, shared, network.network.addresses)
        : undefined,
    defaultSignals: (await tryProgram("env", ["--default-signal=INT,QUIT", "true"])).code === 0,
    async clean() {
      await cleanRemains(remains);
      if (isRoot) await forgetServer(instance);
    },
    log,
    isolation: isolation({
      runtime,
      rootless: rootless?.missing,
      loop,
      seccomp: seccomp !== undefined,
      network: network.network.kind,
      networkMissing: network.missing,
    }),
  });
}

/** What a killed server left is its successor's to remove, or the next server's of this machine, whichever comes first. */
async function cleanLost(hierarchies: Hierarchies | undefined, log: Log): Promise<void> {
  for (const { instance, stateDir } of await lostServers()) {
    try {
      await cleanRemains({ stateDir, instance, hierarchies, network: true });
      await forgetServer(instance);
    } catch (error) {
      // Its record stays, and the next server tries again.
      log.warn("what a killed server left could not be removed", { instance, stateDir, error });
    }
  }
}

/** The isolated network where the machine has its tools; else the host's, with what that costs. */
async function openNetwork(
  deps: StartOciDeps,
  instance: string,
  runtime: OciRuntime,
): Promise<{ network: Network; missing: string[] }> {
  const needed: readonly FindingName[] = ["privileges", "ip", "nft"];
  const lacking = deps.machine.findings.filter(
    (finding) => !finding.found && needed.some((name) => name === finding.name),
  );
  const consequence =
    "Functions share the host's network: they reach whatever this machine reaches, its own ports and the outside included.";
  const reasons = lacking.map(({ name, detail, remedy }) => `${name}: ${detail}. ${remedy ?? ""}`);
  if (lacking.length > 0) return { network: await createHostNetwork(), missing: [consequence, ...reasons] };
  try {
    return {
      network: await createIsolatedNetwork({
        ...deps,
        instance,
        behindRouter: runtime.hasOwnKernel,
        ready: SLOTS_READY,
      }),
      missing: [],
    };
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    return { network: await createHostNetwork(), missing: [`${consequence} ${error.message}`] };
  }
}

const NO_INIT =
  "Ended sandboxes stay behind as zombie processes, since the server is process 1 here; run its container with an init (docker run --init).";

const gvisorTasks = ({ tasksMax }: OciRuntime) =>
  `A function with some 400 processes is ended, below the limit of 1,024, which threads alone can reach: gVisor takes about ten of the host's tasks for a process, and a sandbox has ${tasksMax}.`;

interface Given {
  readonly runtime: OciRuntime;
  /** What rootless costs; undefined for root. */
  readonly rootless: readonly string[] | undefined;
  readonly loop: true | string;
  readonly seccomp: boolean;
  readonly network: "isolated" | "host";
  readonly networkMissing: readonly string[];
}

function isolation(given: Given): Isolation {
  const limited = given.rootless === undefined;
  return {
    provider: limited ? given.runtime.name : "runc-rootless",
    namespaces: true,
    seccomp: given.seccomp,
    memoryLimit: limited,
    cpuLimit: limited,
    pidsLimit: limited && !given.runtime.hasOwnKernel,
    tmpLimit: given.loop === true,
    network: given.network,
    missing: [
      ...(limited
        ? []
        : ["Memory, CPU and process count of a function are not limited; run the server as root for that."]),
      ...(given.rootless ?? []),
      ...(given.loop === true ? [] : [`/tmp of a function is not limited: ${given.loop}.`]),
      ...(given.seccomp
        ? []
        : [`System calls are not filtered on ${process.arch}; there is no profile for it yet.`]),
      ...(given.runtime.hasOwnKernel ? [gvisorTasks(given.runtime)] : []),
      ...given.networkMissing,
      ...(process.pid === 1 ? [NO_INIT] : []),
    ],
  };
}
