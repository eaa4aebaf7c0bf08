/** The OCI configuration of one sandbox: a pure function from what is wanted to `config.json`. */
import {
  CPU_PERIOD_US,
  FILE_DESCRIPTORS_MAX,
  PROCESSES_MAX,
  SANDBOX_GID,
  SANDBOX_UID,
  startQuotaUs,
} from "../limits.ts";
import type { MountPoints } from "./root-skeleton.ts";
import type { OciRuntime } from "./oci-runtime.ts";
import { SUPERVISOR_PROCESSES } from "./supervisor-script.ts";

/** One bind mount. */
export interface Bind {
  readonly source: string;
  readonly target: string;
  readonly kind: "folder" | "file";
  readonly writable?: true;
  /** What is mounted at the source later shows at the target. */
  readonly late?: true;
}

const PROCESSES = PROCESSES_MAX + SUPERVISOR_PROCESSES;
const processesLimit = { type: "RLIMIT_NPROC", hard: PROCESSES, soft: PROCESSES };
/** Shared memory of a sandbox, in bytes; it counts against the function's memory. */
const SHM_BYTES = 64 * 1024 * 1024;

export interface BundleInput {
  readonly runtime: OciRuntime;
  readonly memoryMb: number;
  readonly root: string;
  /** The first process. */
  readonly supervisor: readonly string[];
  readonly binds: readonly Bind[];
  readonly hostname: string;
  readonly cgroupsPath: string | undefined;
  /** Path of the network namespace; a new, empty one when undefined; the host's when "host". */
  readonly networkNamespace: string | undefined;
  readonly seccomp: object | undefined;
  readonly limitSwap: boolean;
  /** Rootless: who the user of the sandbox is outside. */
  readonly userNamespace?: UserNamespace | undefined;
}

/** Identity maps of a rootless sandbox, in the words of the OCI runtime specification. */
export interface UserNamespace {
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
  /** The user that the process is inside. */
  readonly uid: number;
  readonly gid: number;
}

export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** The `config.json` of a sandbox. */
export function bundleConfig(input: BundleInput): object {
  const { userNamespace } = input;
  return {
    ociVersion: "1.0.2",
    root: { path: input.root, readonly: true },
    hostname: input.hostname,
    process: {
      terminal: false,
      user: { uid: userNamespace?.uid ?? SANDBOX_UID, gid: userNamespace?.gid ?? SANDBOX_GID },
      args: input.supervisor,
      // Where the supervisor finds `env`; a program gets an environment of its own.
      env: ["PATH=/usr/bin:/bin"],
      cwd: "/",
      capabilities: { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] },
      noNewPrivileges: true,
      rlimits: [
        { type: "RLIMIT_NOFILE", hard: FILE_DESCRIPTORS_MAX, soft: FILE_DESCRIPTORS_MAX },
        // A core dump would go to the host's handler.
        { type: "RLIMIT_CORE", hard: 0, soft: 0 },
        // A kernel that other sandboxes share would count their processes too; there the control group counts.
        ...(input.runtime.hasOwnKernel ? [processesLimit] : []),
      ],
    },
    mounts: mounts(input),
    linux: {
      // crun would cut off all mounts from the host before it binds any.
      rootfsPropagation: "rslave",
      namespaces: namespaces(input),
      ...(userNamespace
        ? { uidMappings: userNamespace.uidMappings, gidMappings: userNamespace.gidMappings }
        : {}),
      ...(input.cgroupsPath === undefined
        ? {}
        : { cgroupsPath: input.cgroupsPath, resources: resources(input) }),
      ...(input.seccomp ? { seccomp: input.seccomp } : {}),
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}

/** The mount points that a root needs for these binds. */
export function mountPoints(binds: readonly Bind[]): MountPoints {
  return new Map(binds.map((bind) => [bind.target, bind.kind]));
}

const MASKED_PATHS = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/modules",
  "/proc/kallsyms",
  "/proc/iomem",
  "/proc/ioports",
  "/proc/cmdline",
  "/proc/config.gz",
  "/sys/firmware",
];

const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

function namespaces(input: BundleInput): object[] {
  const network =
    input.networkNamespace === "host"
      ? []
      : [
          {
            type: "network",
            ...(input.networkNamespace === undefined ? {} : { path: input.networkNamespace }),
          },
        ];
  const user = input.userNamespace ? [{ type: "user" }] : [];
  return [
    { type: "pid" },
    { type: "ipc" },
    { type: "uts" },
    { type: "mount" },
    { type: "cgroup" },
    ...network,
    ...user,
  ];
}

function mounts(input: BundleInput): object[] {
  const shared = ["bind", "nosuid", "nodev"];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      // gVisor would refuse to open a device of a read-only file system for writing; what lies in /dev is root's, there and here.
      options: [
        "nosuid",
        "strictatime",
        "mode=755",
        "size=64k",
        ...(input.runtime.hasOwnKernel ? [] : ["ro"]),
      ],
    },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: ["nosuid", "noexec", "nodev", "mode=1777", `size=${SHM_BYTES}`],
    },
    ...input.binds.map((bind) => ({
      destination: bind.target,
      type: "bind",
      source: bind.source,
      options: [...shared, bind.writable ? "rw" : "ro", ...(bind.late ? ["rslave"] : [])],
    })),
  ];
}

function resources({ memoryMb, runtime, limitSwap }: BundleInput): object {
  const bytes = (memoryMb + runtime.overheadMb) * 1024 * 1024;
  return {
    devices: [{ allow: false, access: "rwm" }],
    memory: { limit: bytes, ...(limitSwap ? { swap: bytes } : {}) },
    cpu: { period: CPU_PERIOD_US, quota: startQuotaUs(memoryMb) },
    pids: { limit: runtime.tasksMax },
  };
}
