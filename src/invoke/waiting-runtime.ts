/** A runtime's process in a sandbox, booted before it is known for which function. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { RunningProgram, Sandbox, SandboxProvider } from "../sandbox/sandbox.ts";
import type { Log } from "../telemetry/log.ts";
import { socketName, waitingVariables } from "./environment-variables.ts";
import { listenForFrames } from "./frame-channel.ts";
import type { FrameChannel } from "./frame-channel.ts";
import { waitingBootMs, waitingStorageMb } from "./limits.ts";
import type { Runtime } from "./runtimes/runtime.ts";
import type { SandboxApi } from "./sandbox-api.ts";
import { makeSocketDir } from "./socket-dir.ts";

export interface WaitingDeps {
  readonly sandboxes: SandboxProvider;
  readonly stateDir: string;
  readonly log: Log;
}

export class WaitingRuntime {
  readonly sandbox: Sandbox;
  readonly channel: FrameChannel;
  readonly socketDir: string;
  readonly program: RunningProgram;
  /** Monotonic milliseconds. */
  readonly bornAt = performance.now();
  /** What is served at AWS_LAMBDA_RUNTIME_API once a function is known. */
  api: SandboxApi | undefined;
  #hasEnded = false;

  private constructor(parts: Pick<WaitingRuntime, "sandbox" | "channel" | "socketDir" | "program">) {
    ({
      sandbox: this.sandbox,
      channel: this.channel,
      socketDir: this.socketDir,
      program: this.program,
    } = parts);
    void this.program.exited.then(() => (this.#hasEnded = true));
  }

  /** Boots one and resolves when it waits. @throws when it cannot be had. */
  static async boot(
    deps: WaitingDeps,
    id: string,
    runtime: Runtime,
    memoryMb: number,
  ): Promise<WaitingRuntime> {
    const socketDir = makeSocketDir(deps.stateDir, id);
    const channel = await listenForFrames(join(socketDir, socketName), undefined, deps.log);
    let sandbox: Sandbox | undefined;
    let waiting: WaitingRuntime | undefined;
    try {
      sandbox = await deps.sandboxes.create({
        id,
        ...(runtime.runtimeDir === undefined ? {} : { runtimeDir: runtime.runtimeDir }),
        languageMounts: runtime.languageMounts,
        socketDir,
        onRuntimeApiConnection: (socket) =>
          waiting?.api === undefined ? socket.destroy() : waiting.api.connect(socket),
        memoryMb,
        ephemeralStorageMb: waitingStorageMb,
      });
      // Functions go first. By the time that one has it, it is as any other: a cold start does not wait for that.
      await sandbox.setPriority("idle");
      const program = await sandbox.start({
        command: runtime.command(memoryMb),
        workingDirectory: "/var/task",
        environment: (inside) => waitingVariables(runtime, inside),
      });
      waiting = new WaitingRuntime({ sandbox, channel, socketDir, program });
      await waiting.#ready();
      await sandbox.setPriority("normal");
      return waiting;
    } catch (error) {
      await sandbox?.stop(0);
      channel.close();
      await rm(socketDir, { recursive: true, force: true });
      throw error;
    }
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async stop(): Promise<void> {
    await this.sandbox.stop(0);
    this.channel.close();
    await rm(this.socketDir, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it did not wait after ${waitingBootMs} ms`)), waitingBootMs);
    });
    const ended = this.program.exited.then(({ code, signal }) => {
      throw new Error(`it ended with ${code ?? signal}`);
    });
    try {
      await Promise.race([this.channel.ready, late, ended]);
    } finally {
      clearTimeout(timer);
    }
  }
}
