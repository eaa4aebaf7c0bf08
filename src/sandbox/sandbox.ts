/** Where a function's programs run, whatever isolates them: an OCI runtime, or (announced) nothing. */
import type { Socket } from "node:net";
import type { Readable } from "node:stream";

/** What a process inside must be told; known before it boots, so that its environment can hold it. */
export interface Inside {
  /**
   * Where a process inside finds a path of the layout (`/var/task`, `/opt/lib`, `/var/runtime/x`, `/tmp`, `/run/lambent/s`,
   * targets of `languageMounts`). The same path where there is a layout; the host's path under `process`.
   */
  path(inside: string): string;
  /** `host:port` at which it reaches `port` of the server's own listeners. Only ports among `serverPorts` are reachable. */
  addressOf(port: number): string;
  /** `host:port` of this sandbox's own Runtime API; undefined without `onRuntimeApiConnection`. */
  readonly runtimeApi: string | undefined;
  /** The same at an address that AWS's SDKs take credentials from. */
  readonly credentials: string | undefined;
}

export interface SandboxSpec {
  /** Unique; names the cgroup, the bundle and the network slot. `[a-z0-9-]{1,64}` */
  readonly id: string;
  /**
   * Host folder that is the root, read-only: that of an image, with the mount points that `makeMountPoints` makes. Nothing of ours is in it
   * then, and no code, layers or runtime are mounted. Only OCI runtimes have one.
   */
  readonly rootDir?: string;
  /** Host folder mounted read-only at /var/task; an empty folder when absent, until `mount` brings one. */
  readonly codeDir?: string;
  /** Host folder mounted read-only at /opt; an empty folder when absent, until `mount` brings one. */
  readonly optDir?: string;
  /** Host folder mounted read-only at /var/runtime: our bootstrap. Absent for custom runtimes. */
  readonly runtimeDir?: string;
  /** The language's own files, mounted read-only: host path → path inside (`/var/lang`, or where the host keeps them). */
  readonly languageMounts: readonly { readonly source: string; readonly target: string }[];
  /**
   * Host folder mounted read-only at /run/lambent; the Unix socket that the bootstrap connects to lies in it. The folder and what
   * lies in it when `create` is called are given to the user of the sandbox (uid 993), so listen first.
   */
  readonly socketDir?: string;
  /**
   * Called with each TCP connection made from inside this sandbox, and from nowhere else, to `inside.runtimeApi`
   * (`AWS_LAMBDA_RUNTIME_API` of custom runtimes): `(socket) => httpServer.emit("connection", socket)`.
   */
  readonly onRuntimeApiConnection?: (socket: Socket) => void;
  readonly memoryMb: number;
  readonly ephemeralStorageMb: number;
}

/** What can be changed of a sandbox that exists. */
export type SandboxLimits = Pick<SandboxSpec, "memoryMb">;

/** Who goes first where sandboxes want the CPU at once. */
export type Priority = "normal" | "idle";

/** What is started in a sandbox: the runtime and, beside it, extensions. */
export interface Program {
  /** Program and arguments; those that begin with a path of the layout are translated by `Inside.path`. */
  readonly command: readonly string[];
  /** A path of the layout. */
  readonly workingDirectory: string;
  /** The whole environment; nothing is added but PWD, and under `process` TMPDIR. */
  readonly environment:
    | Readonly<Record<string, string>>
    | ((inside: Inside) => Readonly<Record<string, string>>);
  /**
   * Where it writes. `own` (the default, for one program at a time: the runtime) has a stdout and a stderr; `shared` is one
   * stream for all programs that were started so (extensions), and lasts as long as the sandbox.
   */
  readonly output?: "own" | "shared";
  /** Descriptor {@link RECORDS_DESCRIPTOR} is its stdout again. */
  readonly hasRecords?: boolean;
}

/** Where a program writes records that it frames, so that they stay in order with what else it writes. */
export const RECORDS_DESCRIPTOR = 3;

/** How a program ended. */
export interface SandboxExit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** The kernel killed it for memory. */
  readonly outOfMemory: boolean;
}

/** A program that was started in a sandbox. */
export interface RunningProgram {
  /** Ends soon after the program, even when a child of it lives on. The sandbox's shared output, when it was started so. */
  readonly stdout: Readable;
  /** As `stdout`; of shared output the same stream. */
  readonly stderr: Readable;
  /** Resolves when the program has ended, or its sandbox. Never rejects. */
  readonly exited: Promise<SandboxExit>;
  /** Signals the program itself; nothing happens when it has ended. */
  signal(name: NodeJS.Signals): Promise<void>;
}

/** Namespaces, limits, mounts and a network in which nothing of the function runs until `start` is called. */
export interface Sandbox {
  readonly id: string;
  readonly inside: Inside;
  /** Address at which the server reaches what listens inside (the Telemetry API's HTTP destinations). */
  readonly address: string;
  /** `inside.addressOf`. */
  addressOf(port: number): string;
  /** Nothing can be started in it any more: it was stopped, or a function or the kernel has killed it. */
  readonly hasEnded: boolean;
  /** Starts a program. @throws SandboxEnded. A program that cannot be run exits with 126 or 127. */
  start(program: Program): Promise<RunningProgram>;
  /**
   * Mounts a host folder read-only at /var/task or /opt (or below) of a sandbox that was made without it. A program whose
   * working directory that is has to enter it again. @throws SandboxError where the provider has no `lateMounts`.
   */
  mount(source: string, target: string): Promise<void>;
  /** Sets the limits anew and begins the start-up allowance again; the peak of memory is counted from here where the kernel can. */
  setLimits(limits: SandboxLimits): Promise<void>;
  /**
   * Ends the start-up allowance: from now on the CPU share follows the memory (1,769 MB = 1 vCPU). Until then a sandbox has
   * as much CPU as AWS gives the Init phase. Called when Init has ended; happens by itself after 10 s.
   */
  limitCpu(): Promise<void>;
  /** `idle`, for what is made ahead of use: only the CPU that this server's other sandboxes leave. `normal` to begin with. */
  setPriority(priority: Priority): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /**
   * Kills every program and all that came of it; resolves when it is gone. The sandbox stays, with its mounts, its limits and its /tmp.
   * @throws SandboxEnded
   */
  reset(): Promise<void>;
  /**
   * SIGTERM to every program that was started, SIGKILL to everything when they have ended, at the latest after `graceMs`;
   * resolves when all of it is gone and cleaned up. A sandbox lasts until this is called, whatever its programs do.
   */
  stop(graceMs: number): Promise<void>;
  /** Peak memory of the whole sandbox since it began, in bytes. */
  peakMemoryBytes(): Promise<number>;
  /**
   * Saves everything that runs and /tmp into an empty folder, and ends the sandbox.
   * @throws SandboxError with what cannot be saved (an open connection), or where the provider has no `checkpoints`.
   */
  checkpoint(folder: string): Promise<void>;
}

/** A sandbox that goes on where another was saved: with the same programs, in the order in which they were started. */
export interface RestoredSandbox {
  readonly sandbox: Sandbox;
  readonly programs: readonly RunningProgram[];
}

/** What a provider really gives on this machine; `lambent doctor` prints it. */
export interface Isolation {
  readonly provider: "runc" | "runc-rootless" | "crun" | "runsc" | "process";
  readonly namespaces: boolean;
  readonly seccomp: boolean;
  readonly memoryLimit: boolean;
  readonly cpuLimit: boolean;
  readonly pidsLimit: boolean;
  readonly tmpLimit: boolean;
  readonly network: "isolated" | "host";
  /** One sentence for each thing that is missing: what it costs, how to get it. */
  readonly missing: readonly string[];
}

/** What a provider can do beyond what the contract demands. */
export interface Capabilities {
  /** `Sandbox.mount` and `setLimits` work, so that a sandbox may be made before it is known what for. */
  readonly lateMounts: boolean;
  /**
   * Present where sandboxes can be saved and restored. Answers a name for all that saved ones depend on now: the runtime, the processor, the
   * system's libraries, addresses. What was saved under another name is not to be restored.
   */
  readonly checkpoints: (() => Promise<string>) | undefined;
}

export interface SandboxProvider {
  readonly isolation: Isolation;
  readonly capabilities: Capabilities;
  /** Makes a sandbox; rejects with SandboxError when it cannot be made. */
  create(spec: SandboxSpec): Promise<Sandbox>;
  /**
   * Makes a sandbox that goes on where another one was saved, in a network slot of its own and with fresh randomness of the kernel.
   * @param spec As that one's, apart from its id, its socket folder and who is called.
   * @param folder What `Sandbox.checkpoint` wrote; may be restored any number of times. @throws SandboxError
   */
  restore(spec: SandboxSpec, folder: string): Promise<RestoredSandbox>;
  /** Ends every sandbox and gives back every slot, mount, cgroup and namespace, those of a killed predecessor included. */
  close(): Promise<void>;
}

export class SandboxError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SandboxError";
  }
}

/** It could not be saved for the runtime's connection to this server, which was closed and not over yet. Happens on busy machines. */
export class StillConnected extends SandboxError {}

/** The sandbox has ended, whoever ended it: a function may kill its own, and so may the kernel, for memory. */
export class SandboxEnded extends SandboxError {
  constructor() {
    super("the sandbox has ended");
    this.name = "SandboxEnded";
  }
}
