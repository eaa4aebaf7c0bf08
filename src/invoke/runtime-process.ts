/** One life of a runtime's process: the sandbox that it runs in, the channel that it speaks through, and its output. */
import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";
import type {
  Inside,
  Program,
  RunningProgram,
  Sandbox,
  SandboxExit,
  SandboxProvider,
  SandboxSpec,
} from "../sandbox/sandbox.ts";
import type { Log } from "../telemetry/log.ts";
import { allRead } from "../kit/after-turn.ts";
import { assignedVariables, environmentVariables, hasRecords, socketName } from "./environment-variables.ts";
import { listenForFrames } from "./frame-channel.ts";
import { goodbyeMs, lastWordsMs } from "./limits.ts";
import type { ImageLaunch } from "./image-launch.ts";
import type { LogStream } from "./log-stream.ts";
import type { InitializationType } from "./platform-events.ts";
import type { Prebooted } from "./prebooted.ts";
import { RuntimeApi } from "./runtime-api.ts";
import type { Ahead, Delivery, RuntimeChannel, RuntimeListener } from "./runtime-channel.ts";
import type { Runtime } from "./runtimes/runtime.ts";
import { SandboxApi } from "./sandbox-api.ts";
import type { SandboxApiPart } from "./sandbox-api.ts";
import { SnapStartFailed } from "./snap-start-errors.ts";
import type { Snapshot } from "./snapshots.ts";
import { makeSocketDir } from "./socket-dir.ts";
import type { Credentials, FunctionVersion } from "./types.ts";
import type { WaitingRuntime } from "./waiting-runtime.ts";

/** Tells a runtime that speaks HTTP that it was restored: a file in the folder mounted at /run/lambent. */
const restoredName = "restored";

export interface ProcessDeps {
  readonly sandboxes: SandboxProvider;
  /** Folder for the sockets; short, since a socket's path may have 107 bytes. */
  readonly stateDir: string;
  readonly endpointPort: number;
  readonly log: Log;
  /** Processes that wait for a function; absent where none does. */
  readonly prebooted?: Prebooted;
}

export interface ProcessSpec {
  /** Names the sandbox. */
  readonly id: string;
  readonly version: FunctionVersion;
  readonly runtime: Runtime;
  /** Program of a custom runtime, in paths of the layout. */
  readonly entrypoint: string | undefined;
  /** Of a container image. */
  readonly launch?: ImageLaunch;
  readonly credentials: Credentials;
  readonly initializationType?: InitializationType;
  /** What it goes on from, instead of being booted. */
  readonly snapshot?: Snapshot;
  readonly metadataToken: string;
  readonly stream: LogStream;
  /** What its sandbox finds at AWS_LAMBDA_RUNTIME_API beside the Runtime API. */
  readonly apis: readonly SandboxApiPart[];
  /** Called when there is a sandbox; where it resolves with false, the runtime is not started. */
  begun(sandbox: Sandbox): Promise<boolean>;
}

export interface ProcessListener extends RuntimeListener {
  /** Said once, after everything that the process said and wrote. */
  exit(exit: SandboxExit): void;
}

/** What a sandbox finds at AWS_LAMBDA_RUNTIME_API; another one for each life in it. */
interface Door {
  api: SandboxApi | undefined;
}

interface Parts {
  readonly sandbox: Sandbox;
  readonly channel: RuntimeChannel;
  readonly socketDir: string | undefined;
  readonly door: Door;
}

export class RuntimeProcess {
  readonly #parts: Parts;
  #program: RunningProgram | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Boots a process. @throws SandboxError when there is no sandbox to be had.
   * @param before One that was reset: its sandbox is this one's, unless it has ended since.
   */
  static async boot(
    deps: ProcessDeps,
    spec: ProcessSpec,
    listener: ProcessListener,
    before?: RuntimeProcess,
  ): Promise<RuntimeProcess> {
    if (before && !before.#parts.sandbox.hasEnded)
      return RuntimeProcess.#bootAgain(deps, spec, listener, before.#parts);
    await before?.stop(0);
    if (spec.snapshot) return RuntimeProcess.#restore(deps, spec, listener, spec.snapshot);
    // One that is to be saved needs a bootstrap that can connect anew, and a sandbox that is its own from the beginning.
    if (spec.initializationType === "snap-start")
      return RuntimeProcess.#bootFromNothing(deps, spec, listener);
    const waiting = await deps.prebooted?.take(spec.version, spec.runtime);
    const assigned = waiting && (await RuntimeProcess.#assign(deps, spec, listener, waiting));
    return assigned ?? RuntimeProcess.#bootFromNothing(deps, spec, listener);
  }

  /** Makes a process that waits one of the version's. Undefined when it could not be: then another is booted. */
  static async #assign(
    deps: ProcessDeps,
    spec: ProcessSpec,
    listener: ProcessListener,
    waiting: WaitingRuntime,
  ): Promise<RuntimeProcess | undefined> {
    const { sandbox, channel, socketDir } = waiting;
    const { codeDir, optDir, memoryMb } = spec.version;
    try {
      await Promise.all([
        sandbox.mount(codeDir, "/var/task"),
        optDir === undefined ? undefined : sandbox.mount(optDir, "/opt"),
        sandbox.setLimits({ memoryMb }),
      ]);
      waiting.api = new SandboxApi([new RuntimeApi(undefined), ...spec.apis]);
      const process = new RuntimeProcess({ sandbox, channel, socketDir, door: waiting });
      if (!(await spec.begun(sandbox))) return process;
      process.#follow(waiting.program, spec, listener);
      const input = { ...spec, logStream: spec.stream.name, endpointPort: deps.endpointPort };
      channel.assign(listener, sandbox.inside.path("/var/task"), assignedVariables(input, sandbox.inside));
      return process;
    } catch (error) {
      deps.log.warn("a process that was booted ahead could not be used", { error });
      await waiting.stop();
      return undefined;
    }
  }

  static async #bootFromNothing(
    deps: ProcessDeps,
    spec: ProcessSpec,
    listener: ProcessListener,
  ): Promise<RuntimeProcess> {
    // One that is to be saved has the folder that it is to have when it is restored.
    const needsFolder = !speaksHttp(spec) || spec.initializationType === "snap-start";
    const socketDir = needsFolder ? makeSocketDir(deps.stateDir, spec.id) : undefined;
    const { channel, door } = await open(deps, spec, listener, socketDir);
    const sandbox = await deps.sandboxes
      .create(sandboxSpec(spec, socketDir, door))
      .catch((error: unknown) => abandon(error, { channel, socketDir }));
    return new RuntimeProcess({ sandbox, channel, socketDir, door }).#start(deps, spec, listener);
  }

  static async #restore(
    deps: ProcessDeps,
    spec: ProcessSpec,
    listener: ProcessListener,
    { folder }: Snapshot,
  ): Promise<RuntimeProcess> {
    const socketDir = makeSocketDir(deps.stateDir, spec.id);
    if (speaksHttp(spec)) await writeFile(join(socketDir, restoredName), "");
    const { channel, door } = await open(deps, spec, listener, socketDir);
    const { sandbox, programs } = await deps.sandboxes
      .restore(sandboxSpec(spec, socketDir, door), folder)
      .catch((error: unknown) => abandon(error, { channel, socketDir }));
    const process = new RuntimeProcess({ sandbox, channel, socketDir, door });
    const [program] = programs;
    if (!program) return abandon(new SnapStartFailed("The saved process is gone."), process.#parts);
    if (await spec.begun(sandbox)) process.#follow(program, spec, listener);
    return process;
  }

  static async #bootAgain(
    deps: ProcessDeps,
    spec: ProcessSpec,
    listener: ProcessListener,
    { sandbox, socketDir, door }: Parts,
  ): Promise<RuntimeProcess> {
    const { channel, door: own } = await open(deps, spec, listener, socketDir);
    door.api = own.api;
    // The first socket was given to the sandbox's user when the sandbox was made; nobody else reaches the folder.
    if (socketDir !== undefined && !speaksHttp(spec)) await chmod(join(socketDir, socketName), 0o777);
    return new RuntimeProcess({ sandbox, channel, socketDir, door }).#start(deps, spec, listener);
  }

  async #start(deps: ProcessDeps, spec: ProcessSpec, listener: ProcessListener): Promise<RuntimeProcess> {
    const { sandbox } = this.#parts;
    try {
      if (await spec.begun(sandbox)) this.#follow(await sandbox.start(programOf(deps, spec)), spec, listener);
      return this;
    } catch (error) {
      return abandon(error, this.#parts);
    }
  }

  /** Address at which the server reaches what listens inside. */
  get address(): string {
    return this.#parts.sandbox.address;
  }

  deliver(delivery: Delivery): void {
    this.#parts.channel.deliver(delivery);
  }

  get ahead(): Ahead | undefined {
    return this.#parts.channel.ahead;
  }

  limitCpu(): Promise<void> {
    return this.#parts.sandbox.limitCpu();
  }

  freeze(): Promise<void> {
    return this.#parts.sandbox.freeze();
  }

  thaw(): Promise<void> {
    return this.#parts.sandbox.thaw();
  }

  peakMemoryBytes(): Promise<number> {
    return this.#parts.sandbox.peakMemoryBytes();
  }

  /** Ends it, after `graceMs` at the latest, and resolves when nothing of it is left. */
  async stop(graceMs: number): Promise<void> {
    const { sandbox, channel, socketDir, door } = this.#parts;
    await sandbox.stop(graceMs);
    channel.close();
    // Connections of extensions: what gVisor's own network stack held ends without a word to us.
    door.api?.close();
    if (socketDir !== undefined) await rm(socketDir, { recursive: true, force: true });
  }

  /** Saves everything that runs into an empty folder, and ends it. @throws SandboxError with what cannot be saved. */
  async checkpoint(folder: string): Promise<void> {
    // gVisor saves no open connection; the runtime closes its own once it has said that it is ready.
    const { channel } = this.#parts;
    await Promise.race([channel.drained(), sleep(goodbyeMs, undefined, { ref: false })]);
    channel.close();
    this.#parts.door.api?.close();
    await this.#parts.sandbox.checkpoint(folder);
  }

  /** Kills everything that runs, and keeps the sandbox for another one. */
  async reset(): Promise<void> {
    await this.#parts.sandbox.reset();
    this.#parts.channel.close();
    this.#parts.door.api?.close();
  }

  /** Asks the runtime alone to end, and kills it when it has not after `graceMs`. */
  async terminate(graceMs: number): Promise<void> {
    const program = this.#program;
    if (!program) return;
    await program.signal("SIGTERM");
    const grace = new AbortController();
    const late = sleep(graceMs, true, { signal: grace.signal, ref: false }).catch(() => false);
    if (await Promise.race([program.exited.then(() => false), late])) await program.signal("SIGKILL");
    grace.abort();
  }

  #follow(program: RunningProgram, { stream, runtime }: ProcessSpec, listener: ProcessListener): void {
    this.#program = program;
    const ended = [
      collect(program.stdout, hasRecords(runtime) ? stream.framedOutput() : stream.output()),
      collect(program.stderr, stream.output()),
    ];
    void this.#tellExit(program, ended, listener);
  }

  async #tellExit(
    program: RunningProgram,
    ended: readonly Promise<void>[],
    listener: ProcessListener,
  ): Promise<void> {
    const exit = await program.exited;
    // A child that outlives the runtime may hold the connection open; its words are not waited for.
    const spoken = Promise.all([...ended, this.#parts.channel.drained()]);
    await Promise.race([spoken, sleep(lastWordsMs, undefined, { ref: false })]);
    // A server that had no time in between is not to take what lies in its sockets for silence.
    await allRead();
    listener.exit(exit);
  }
}

function sandboxSpec(spec: ProcessSpec, socketDir: string | undefined, door: Door): SandboxSpec {
  const { version, runtime } = spec;
  return {
    id: spec.id,
    ...(version.image ? { rootDir: version.codeDir } : { codeDir: version.codeDir }),
    ...(version.optDir === undefined ? {} : { optDir: version.optDir }),
    ...(runtime.runtimeDir === undefined ? {} : { runtimeDir: runtime.runtimeDir }),
    languageMounts: runtime.languageMounts,
    ...(socketDir === undefined ? {} : { socketDir }),
    onRuntimeApiConnection: (socket) => door.api?.connect(socket),
    memoryMb: version.memoryMb,
    ephemeralStorageMb: version.ephemeralStorageMb,
  };
}

function programOf(deps: ProcessDeps, spec: ProcessSpec): Program {
  return {
    command: commandOf(spec),
    workingDirectory: spec.launch?.workingDirectory ?? "/var/task",
    hasRecords: hasRecords(spec.runtime),
    environment: (inside: Inside) =>
      environmentVariables({ ...spec, logStream: spec.stream.name, endpointPort: deps.endpointPort }, inside),
  };
}

/** The ways in which the sandbox and the server speak to each other. */
async function open(
  deps: ProcessDeps,
  spec: ProcessSpec,
  listener: ProcessListener,
  socketDir: string | undefined,
): Promise<{ readonly channel: RuntimeChannel; readonly door: Door }> {
  const isHttp = speaksHttp(spec) || socketDir === undefined;
  const isSaved = spec.initializationType === "snap-start";
  const runtimeApi = new RuntimeApi(
    isHttp ? listener : undefined,
    spec.snapshot ? "restored" : isSaved ? "to be saved" : undefined,
  );
  const api = new SandboxApi([runtimeApi, ...spec.apis]);
  const channel = isHttp
    ? httpChannel(runtimeApi, api)
    : await listenForFrames(join(socketDir, socketName), listener, deps.log);
  return { channel, door: { api } };
}

/** Gives up what was opened. @throws `error`. */
async function abandon(
  error: unknown,
  { sandbox, channel, socketDir }: Partial<Parts> & Pick<Parts, "channel">,
): Promise<never> {
  await sandbox?.stop(0);
  channel.close();
  if (socketDir !== undefined) await rm(socketDir, { recursive: true, force: true });
  throw error;
}

function speaksHttp({ runtime }: ProcessSpec): boolean {
  return runtime.channel === "http";
}

/** What is said to a runtime that speaks HTTP. */
function httpChannel(runtimeApi: RuntimeApi, api: SandboxApi): RuntimeChannel {
  return {
    deliver: (delivery) => runtimeApi.deliver(delivery),
    drained: () => api.drained(),
    close: () => api.close(),
  };
}

/** A managed runtime is started by the function's wrapper script, when it names one; a custom runtime wraps itself. */
function commandOf({ entrypoint, launch, version, runtime }: ProcessSpec): readonly string[] {
  if (launch) return launch.command;
  if (entrypoint !== undefined) return [entrypoint];
  const wrapper = version.environment["AWS_LAMBDA_EXEC_WRAPPER"];
  const command = runtime.command(version.memoryMb);
  return wrapper === undefined || wrapper === "" || runtime.startsWrapper ? command : [wrapper, ...command];
}

function collect(output: Readable, sink: { write(chunk: Buffer): void; end(): void }): Promise<void> {
  return new Promise((resolve) => {
    output.on("data", (chunk: Buffer) => sink.write(chunk));
    output.once("close", () => {
      sink.end();
      resolve();
    });
    output.once("error", () => resolve());
  });
}
