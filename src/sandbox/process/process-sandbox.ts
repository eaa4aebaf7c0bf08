/** One sandbox of the `process` provider: signals instead of cgroups, real folders instead of mounts. */
import { mkdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { SandboxEnded, SandboxError } from "../sandbox.ts";
import type { Inside, Program, RunningProgram, Sandbox, SandboxSpec } from "../sandbox.ts";
import { layoutPaths, translate } from "./layout-paths.ts";
import { startProcessProgram } from "./process-program.ts";
import type { ProcessProgram } from "./process-program.ts";
import { remember } from "./remains.ts";

/**
 * Makes a sandbox.
 * @param home A folder of its own; removed when it is stopped.
 * @param gone Called once when nothing of it is left.
 */
export async function makeProcessSandbox(
  spec: SandboxSpec,
  home: string,
  gone: () => void,
): Promise<Sandbox> {
  if (spec.rootDir !== undefined)
    throw new SandboxError("container images need an OCI runtime (runc); functions are plain processes here");
  const tmp = `${home}/tmp`;
  await mkdir(tmp, { recursive: true, mode: 0o700 });
  const server = spec.onRuntimeApiConnection ? await listen(spec.onRuntimeApiConnection) : undefined;
  const paths = layoutPaths(spec, tmp);
  const inside: Inside = {
    path: (path) => translate(paths, path),
    addressOf: (port) => `127.0.0.1:${port}`,
    runtimeApi: server ? `127.0.0.1:${portOf(server)}` : undefined,
    credentials: server ? `127.0.0.1:${portOf(server)}` : undefined,
  };
  return new ProcessSandbox(spec.id, inside, home, async () => {
    server?.close();
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
    gone();
  });
}

class ProcessSandbox implements Sandbox {
  readonly id: string;
  readonly inside: Inside;
  readonly address = "127.0.0.1";
  readonly #home: string;
  readonly #clean: () => Promise<void>;
  /** As many programs write to it as are started. */
  readonly #shared = new PassThrough().setMaxListeners(0);
  readonly #programs = new Set<ProcessProgram>();
  #peakBytes = 0;
  #stopped: Promise<void> | undefined;

  constructor(id: string, inside: Inside, home: string, clean: () => Promise<void>) {
    this.id = id;
    this.inside = inside;
    this.#home = home;
    this.#clean = clean;
  }

  addressOf(port: number): string {
    return this.inside.addressOf(port);
  }

  get hasEnded(): boolean {
    return this.#stopped !== undefined;
  }

  async start(program: Program): Promise<RunningProgram> {
    if (this.hasEnded) throw new SandboxEnded();
    const tmp = `${this.#home}/tmp`;
    const started = await startProcessProgram(program, this.inside, tmp, this.#shared);
    this.#programs.add(started);
    void started.exited.then(() => this.#programs.delete(started));
    if (this.hasEnded) started.signalGroup("SIGKILL");
    // Unrecorded it may not run: nobody could end it after a crash of ours.
    await remember(this.#home, started.pid).catch(() => started.signalGroup("SIGKILL"));
    return started;
  }

  mount(): Promise<void> {
    return Promise.reject(new SandboxError("nothing can be mounted for a plain process"));
  }

  /** Nothing is limited here, and the provider says so. */
  setLimits(): Promise<void> {
    return Promise.resolve();
  }

  limitCpu(): Promise<void> {
    return Promise.resolve();
  }

  setPriority(): Promise<void> {
    return Promise.resolve();
  }

  freeze(): Promise<void> {
    return Promise.resolve(this.#signalAll("SIGSTOP"));
  }

  thaw(): Promise<void> {
    return Promise.resolve(this.#signalAll("SIGCONT"));
  }

  async reset(): Promise<void> {
    const exits = [...this.#programs].map((program) => program.exited);
    this.#signalAll("SIGKILL");
    await Promise.all(exits);
  }

  stop(graceMs: number): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  checkpoint(): Promise<void> {
    return Promise.reject(new SandboxError("plain processes cannot be saved"));
  }

  async peakMemoryBytes(): Promise<number> {
    let bytes = 0;
    for (const program of this.#programs) bytes += await program.peakMemoryBytes();
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
    return this.#peakBytes;
  }

  async #stop(graceMs: number): Promise<void> {
    const exits = Promise.all([...this.#programs].map((program) => program.exited));
    this.#signalAll("SIGCONT");
    if (graceMs > 0 && this.#programs.size > 0) {
      for (const program of this.#programs) await program.signal("SIGTERM");
      await Promise.race([exits, sleep(graceMs, undefined, { ref: false })]);
    }
    this.#signalAll("SIGKILL");
    await exits;
    this.#shared.end();
    await this.#clean();
  }

  #signalAll(name: NodeJS.Signals): void {
    for (const program of this.#programs) program.signalGroup(name);
  }
}

async function listen(onConnection: NonNullable<SandboxSpec["onRuntimeApiConnection"]>): Promise<Server> {
  const server = createServer(onConnection);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new SandboxError("the Runtime API's listener has no port");
  return address.port;
}
