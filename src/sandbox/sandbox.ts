/** What runs a function's process, whatever isolates it: an OCI runtime, or (announced) a plain process. */
import type { Readable } from "node:stream";

export interface SandboxSpec {
  /** Unique; names the cgroup, the bundle and the network slot. `[a-z0-9-]{1,64}` */
  readonly id: string;
  /** Host folder mounted read-only at /var/task. */
  readonly codeDir: string;
  /** Host folder mounted read-only at /opt; an empty folder when absent. */
  readonly optDir?: string;
  /** Host folder mounted read-only at /var/runtime: our bootstrap. Absent for custom runtimes. */
  readonly runtimeDir?: string;
  /** The language's own files, mounted read-only: host path → path inside (`/var/lang`, or where the host keeps them). */
  readonly languageMounts: readonly { readonly source: string; readonly target: string }[];
  /** Host folder mounted at /run/lambent; the Unix socket that the bootstrap connects to lies in it. */
  readonly socketDir?: string;
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly ephemeralStorageMb: number;
}

export interface SandboxExit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** The kernel killed something in it for memory. */
  readonly outOfMemory: boolean;
}

export interface Sandbox {
  readonly id: string;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when its first process has ended. */
  readonly exited: Promise<SandboxExit>;
  /** `host:port` at which a process inside reaches `port` of the server's own listeners (Runtime API, endpoint). */
  addressOf(port: number): string;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** SIGTERM to the first process, SIGKILL to everything after `graceMs`; resolves when all of it is gone and cleaned up. */
  stop(graceMs: number): Promise<void>;
  /** Peak memory of the whole sandbox since it began, in bytes. */
  peakMemoryBytes(): Promise<number>;
}

/** What a provider really gives on this machine; `lambent doctor` prints it. */
export interface Isolation {
  readonly provider: "runc" | "runc-rootless" | "process";
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

export interface SandboxProvider {
  readonly isolation: Isolation;
  /** Boots a sandbox; rejects with SandboxError when it cannot be made. */
  create(spec: SandboxSpec): Promise<Sandbox>;
  /** Ends every sandbox and gives back every slot, mount, cgroup and namespace, those of a killed predecessor included. */
  close(): Promise<void>;
}

export class SandboxError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SandboxError";
  }
}
