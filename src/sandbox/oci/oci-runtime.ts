/** The OCI runtimes that sandboxes run on, and in what they differ. */
import type { Hierarchies } from "../cgroup/hierarchies.ts";
import { PROCESSES_MAX } from "../limits.ts";
import { tryProgram } from "../run-program.ts";
import { SUPERVISOR_PROCESSES } from "./supervisor-script.ts";

export type OciRuntimeName = "runc" | "crun" | "runsc";

export interface OciRuntime {
  readonly name: OciRuntimeName;
  /** The program, and what comes before its subcommand. */
  readonly command: readonly string[];
  /** Whether the supervisor inherits its pipes; else it opens them at SUPERVISOR_PIPES. */
  readonly inheritsPipes: boolean;
  /**
   * Whether functions run on a kernel of the runtime's own (gVisor): it sends network frames itself, knows nothing of what is mounted on
   * the host later, and uses memory and tasks of the host's for itself.
   */
  readonly hasOwnKernel: boolean;
  /** Memory that the runtime itself uses within a sandbox's limit, in MB; the function gets its own beside it. */
  readonly overheadMb: number;
  /** Tasks of the host's kernel that a sandbox may have. */
  readonly tasksMax: number;
}

/** gVisor's kernel and its file server, idle, in MB; 15 were measured. */
const GVISOR_OVERHEAD_MB = 32;
/**
 * gVisor needs about ten of the host's tasks for a process inside, one or two for a thread, and ends a sandbox that wants more than these.
 * With enough for 1,024 processes a fork bomb took so much of the host's time that others' sandboxes were not made within half a minute.
 */
const GVISOR_TASKS_MAX = 4_096;

/**
 * gVisor of 2022 takes every network namespace for the host's on kernels that show /proc/sys/net/core/rmem_default in each of them
 * (Linux 6.10 and later), and refuses to use it. Where it sees nothing there, as in other namespaces of older kernels, it works.
 */
const HIDE_NET_SETTINGS = 'mount -t tmpfs -o size=4k,mode=555 lambent /proc/sys/net && exec "$@"';
/** crun refuses hybrid cgroups when version 2 has any controller; it uses version 1 when it sees no version 2. */
const HIDE_CGROUP_2 = 'umount "$0" && exec "$@"';

/** Describes a runtime as it is on this machine. */
export async function ociRuntime(
  name: OciRuntimeName,
  hierarchies: Hierarchies | undefined,
): Promise<OciRuntime> {
  const native = {
    name,
    command: [name],
    inheritsPipes: true,
    hasOwnKernel: false,
    overheadMb: 0,
    tasksMax: PROCESSES_MAX + SUPERVISOR_PROCESSES,
  };
  if (name === "runc") return native;
  if (name === "crun") {
    if (hierarchies?.version !== "hybrid") return native;
    return { ...native, command: inOwnMounts(HIDE_CGROUP_2, hierarchies.v2 ?? "", ["crun"]) };
  }
  return {
    name,
    command: inOwnMounts(HIDE_NET_SETTINGS, "sh", ["runsc", ...(await gvisorFlags())]),
    inheritsPipes: false,
    hasOwnKernel: true,
    overheadMb: GVISOR_OVERHEAD_MB,
    tasksMax: GVISOR_TASKS_MAX,
  };
}

/** What sandboxes need of gVisor, in the words of its version. */
async function gvisorFlags(): Promise<string[]> {
  const { stdout, stderr } = await tryProgram("runsc", ["flags"]);
  const known = `${stdout}${stderr}`;
  const has = (flag: string) => new RegExp(`^\\s+-${flag}\\b`, "m").test(known);
  return [
    // The bootstrap's socket lies on the host.
    ...(has("host-uds") ? ["--host-uds=open"] : ["--fsgofer-host-uds"]),
    // As do the supervisor's pipes.
    ...(has("host-fifo") ? ["--host-fifo=open"] : []),
    // Within gVisor a new user namespace would give a function capabilities, raw sockets among them.
    ...(has("oci-seccomp") ? ["--oci-seccomp"] : []),
    // Newer versions would otherwise write their files into the root that all sandboxes share.
    ...(has("overlay2") ? ["--overlay2=none"] : []),
  ];
}

/** Mounts of the host go on reaching the runtime; what it hides from itself is hidden from nobody else. */
function inOwnMounts(script: string, zeroth: string, command: readonly string[]): string[] {
  return ["unshare", "--mount", "--propagation", "slave", "/bin/sh", "-c", script, zeroth, ...command];
}
