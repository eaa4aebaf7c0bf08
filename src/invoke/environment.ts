/** One execution environment: boots and initializes a runtime on its own, gives it one invocation at a time, and tells how each ended. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import { AnswerStream } from "./answer-stream.ts";
import { enter } from "./environment-state.ts";
import type { EnvironmentState } from "./environment-state.ts";
import { credentialsMarginMs, initMs, responseBytesMax } from "./limits.ts";
import type { StreamLimits } from "./limits.ts";
import { LogStream, streamName } from "./log-stream.ts";
import { RuntimeProcess } from "./runtime-process.ts";
import type { ProcessDeps, ProcessListener } from "./runtime-process.ts";
import { runtimeVersionArn, runtimeVersionName } from "./runtime-version.ts";
import type { Runtime } from "./runtimes/runtime.ts";
import { VerdictQueue, judge } from "./verdict.ts";
import type { Judgement, Verdict } from "./verdict.ts";
import type { AnswerSink, Credentials, FunctionVersion, Invocation, InvokePorts, Outcome } from "./types.ts";

export interface EnvironmentDeps extends ProcessDeps {
  readonly ports: InvokePorts;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly streaming: StreamLimits;
}

export interface EnvironmentSpec {
  readonly version: FunctionVersion;
  readonly runtime: Runtime;
  readonly entrypoint: string | undefined;
  readonly credentials: Credentials;
}

/** How the init phase ended. */
interface InitResult {
  readonly durationMs: number;
  readonly failure?: Verdict;
}

/** The result of an invocation before it becomes log lines and an outcome. */
interface Result extends Judgement {
  readonly durationMs: number;
  readonly initDurationMs?: number;
}

/** How long a caller waits, after its answer, for a custom runtime to ask for more: else its next call would boot another. */
const backMs = 2;
const mebibyte = 1_048_576;

/** The environment ended before the invocation reached the function's code: another may have it. */
export class EnvironmentEnded extends Error {
  constructor() {
    super("The execution environment ended before the invocation began");
    this.name = "EnvironmentEnded";
  }
}

export class Environment {
  readonly version: FunctionVersion;
  /** Monotonic milliseconds since when it has had no work. */
  idleSince = 0;
  readonly #deps: EnvironmentDeps;
  readonly #spec: EnvironmentSpec;
  readonly #stream: LogStream;
  /** What the function wrote to its standard streams and our bootstrap caught. */
  readonly #written: { write(chunk: Buffer): void };
  readonly #bornAt = performance.now();
  readonly #onChange: (environment: Environment) => void;
  /** How the init phase ended; the first invocation takes it. */
  #init: InitResult | undefined;
  #bootFailure: unknown;
  #state: EnvironmentState = "booting";
  #process: RuntimeProcess | undefined;
  /** The process that is being booted, or was last; undefined when it could not be. */
  #booting: Promise<RuntimeProcess | undefined> | undefined;
  #lives = 0;
  readonly #verdicts = new VerdictQueue();
  /** Who takes the answer to the invocation under way as it is made, and that answer once the runtime streams it. */
  #sink: AnswerSink | undefined;
  #streamed: AnswerStream | undefined;
  #frozen: Promise<void> | undefined;
  #memoryMb = 0;
  /** The function timeout of the invocation under way. */
  #timer: NodeJS.Timeout | undefined;
  /** The last invocation's log lines are written. */
  #finished: Promise<Buffer | undefined> | undefined;
  #gone: Promise<void> | undefined;

  /**
   * Begins to boot and to initialize, whether or not anybody waits for it.
   * @param onChange Called when it became idle (its init phase has ended, well or not; an invocation is over), and when it
   * is gone. Whoever is called may invoke it at once.
   */
  constructor(deps: EnvironmentDeps, spec: EnvironmentSpec, onChange: (environment: Environment) => void) {
    this.#deps = deps;
    this.#spec = spec;
    this.version = spec.version;
    this.#onChange = onChange;
    this.#stream = new LogStream({
      version: spec.version,
      ports: deps.ports,
      clock: deps.clock,
      name: streamName(spec.version, deps.clock.now(), deps.ids.hex(32)),
      memoryMb: () => this.#readMemory(),
    });
    this.#written = this.#stream.output();
    this.#stream.platform({
      type: "initStart",
      runtimeVersion: runtimeVersionName(spec.runtime),
      runtimeVersionArn: runtimeVersionArn(spec.runtime, spec.version.region),
    });
    this.#initPhase().catch((error: unknown) => {
      this.#bootFailure = error;
      void this.end();
    });
  }

  get state(): EnvironmentState {
    return this.#state;
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined;
  }

  /** Why it is gone before its init phase had ended: no sandbox could be made, or it was told to end. */
  get bootFailure(): unknown {
    return this.#bootFailure;
  }

  get ageMs(): number {
    return performance.now() - this.#bornAt;
  }

  /** Whether its credentials last for another invocation. */
  isFresh(): boolean {
    const margin = this.version.timeoutMs + credentialsMarginMs;
    return this.#state === "idle" && this.#spec.credentials.expiresAt - this.#deps.clock.now() > margin;
  }

  /** Runs one invocation; only when idle. @throws EnvironmentEnded; SandboxError when no sandbox could be made for a second init. */
  async invoke(invocation: Invocation): Promise<Outcome> {
    // The log lines of the invocation before come first.
    await this.#finished;
    if (this.#gone) throw new EnvironmentEnded();
    try {
      return await this.#run(invocation);
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  /** Freezes it until the next invocation. */
  freeze(): void {
    const process = this.#process;
    if (this.#state !== "idle" || this.#frozen || this.#init?.failure || !process) return;
    this.#frozen = process.freeze().catch((error: unknown) => {
      this.#deps.log.warn("an execution environment could not be frozen", { error });
    });
  }

  /** Ends it and resolves when nothing of it is left and its log is handed over. */
  end(): Promise<void> {
    this.#gone ??= this.#end();
    return this.#gone;
  }

  async #run(invocation: Invocation): Promise<Outcome> {
    const init = this.#init;
    this.#init = undefined;
    if (invocation.wantLogTail) this.#stream.beginTail();
    this.#stream.platform({ type: "start", requestId: invocation.requestId, version: this.version.version });
    const { timeoutMs } = this.version;
    const startedAt = performance.now();
    const deadline = this.#deps.clock.now() + timeoutMs;
    this.#timer = setTimeout(() => this.#hear({ kind: "timeout" }), timeoutMs);
    const failedAgain = init?.failure ? await this.#initAgain() : undefined;
    const verdict = failedAgain ?? (await this.#handOver(invocation, deadline));
    // Whatever comes after this is nobody's.
    this.#streamed?.close();
    const elapsed = performance.now() - startedAt;
    const result: Result = {
      ...judge(verdict, invocation.requestId, timeoutMs),
      durationMs: verdict.kind === "timeout" ? timeoutMs : elapsed,
      ...(init && !init.failure ? { initDurationMs: init.durationMs } : {}),
    };
    this.#finished = this.#finish(invocation, verdict, result).catch((error: unknown) => {
      this.#deps.log.error("an invocation could not be finished", { error });
      return undefined;
    });
    if (this.#state === "busy")
      await Promise.race([this.#finished, sleep(backMs, undefined, { ref: false })]);
    if (invocation.wantLogTail || this.#memoryMb === 0) await this.#readMemory();
    // Without a tail to wait for, what is left to do must not keep the caller waiting.
    const logTail = invocation.wantLogTail ? await this.#finished : undefined;
    return {
      payload: result.payload,
      ...(result.functionError ? { functionError: "Unhandled" } : {}),
      ...(result.cause === undefined ? {} : { errorType: result.cause }),
      ...(logTail ? { logTail } : {}),
      durationMs: result.durationMs,
      ...(result.initDurationMs === undefined ? {} : { initDurationMs: result.initDurationMs }),
      maxMemoryUsedMb: this.#memoryMb,
    };
  }

  async #handOver(invocation: Invocation, deadline: number): Promise<Verdict> {
    this.#enter("busy");
    this.#sink = invocation.sink;
    this.#streamed = undefined;
    if (this.#frozen) {
      await this.#frozen;
      this.#frozen = undefined;
      await this.#process?.thaw();
    }
    this.#process?.deliver({
      requestId: invocation.requestId,
      deadline,
      functionArn: invocation.invokedFunctionArn,
      traceHeader: invocation.traceHeader ?? "",
      clientContext: invocation.clientContext ?? "",
      cognitoIdentity: "",
      payload: invocation.payload,
    });
    return this.#verdicts.next();
  }

  /** Waits until the runtime is back, tells the log how it went, and makes the environment idle or ends it. */
  async #finish(invocation: Invocation, verdict: Verdict, result: Result): Promise<Buffer | undefined> {
    const answered = verdict.kind === "answer" || verdict.kind === "tooLarge" || verdict.kind === "refused";
    // Our bootstraps are back with their answer: the environment is free before the caller can come again.
    const last = answered ? (this.#verdicts.take() ?? (await this.#verdicts.next())) : verdict;
    clearTimeout(this.#timer);
    if (last.kind === "next" && !this.#gone) this.#becomeIdle();
    // What the function wrote to its pipes before it answered is read in this turn of the loop.
    await new Promise(setImmediate);
    const isBack = last.kind === "next";
    if (!isBack) await this.#readMemory();
    const { status, errorType } = isBack ? result : judge(last, invocation.requestId, this.version.timeoutMs);
    const ending = {
      requestId: invocation.requestId,
      durationMs: result.durationMs,
      status,
      ...(errorType === undefined ? {} : { errorType }),
    };
    this.#stream.breakLines();
    this.#stream.platform({
      type: "runtimeDone",
      ...ending,
      producedBytes: this.#streamed?.bytes ?? result.payload.length,
    });
    this.#streamed = undefined;
    this.#stream.report({
      type: "report",
      ...ending,
      ...(result.initDurationMs === undefined ? {} : { initDurationMs: result.initDurationMs }),
      memorySizeMb: this.version.memoryMb,
    });
    const tail = invocation.wantLogTail ? await this.#stream.takeTail() : undefined;
    if (!isBack) void this.end();
    return tail;
  }

  #becomeIdle(): void {
    this.#verdicts.clear();
    this.#enter("idle");
    this.#rest();
  }

  #rest(): void {
    this.idleSince = performance.now();
    this.#onChange(this);
  }

  /** The init phase proper, with its own limit. A failure is kept: the first invocation tries once more. @throws SandboxError, EnvironmentEnded. */
  async #initPhase(): Promise<void> {
    const startedAt = performance.now();
    await this.#boot();
    this.#enter("init");
    this.#timer = setTimeout(() => this.#hear({ kind: "timeout" }), initMs);
    const verdict = await this.#verdicts.next();
    clearTimeout(this.#timer);
    const durationMs = performance.now() - startedAt;
    if (verdict.kind === "next") {
      if (this.#gone) throw new EnvironmentEnded();
      this.#init = { durationMs };
      this.#initialized();
    } else {
      await this.#initFailed("init", verdict, durationMs);
      // What this process still says is about nothing: a second one will have the first invocation.
      this.#lives++;
      await this.#process?.stop();
      if (this.#gone) throw new EnvironmentEnded();
      this.#init = { durationMs, failure: verdict };
      this.#enter("idle");
    }
    this.#rest();
  }

  /** AWS runs a failed init phase again under the function's own timeout. Undefined when it went well now. */
  async #initAgain(): Promise<Verdict | undefined> {
    const startedAt = performance.now();
    this.#enter("init");
    await this.#boot();
    const verdict = await this.#verdicts.next();
    if (verdict.kind === "next") {
      if (this.#gone) throw new EnvironmentEnded();
      this.#initialized();
      return undefined;
    }
    await this.#initFailed("invoke", verdict, performance.now() - startedAt);
    return verdict;
  }

  #initialized(): void {
    this.#enter("idle");
    this.#process?.limitCpu().catch((error: unknown) => {
      this.#deps.log.warn("the CPU share of an execution environment could not be set", { error });
    });
    void this.#readMemory();
  }

  async #initFailed(phase: "init" | "invoke", verdict: Verdict, durationMs: number): Promise<void> {
    await new Promise(setImmediate);
    const { status, errorType } = judge(verdict, "", this.version.timeoutMs);
    const failed = errorType === undefined || status === "timeout" ? {} : { errorType };
    this.#stream.platform({ type: "initReport", phase, durationMs, status, ...failed });
  }

  /** @throws when the environment was told to end before there is a process to be used. */
  async #boot(): Promise<void> {
    if (this.#gone) throw new EnvironmentEnded();
    const life = ++this.#lives;
    // What an earlier process of this environment still says is about nothing any more.
    const hear = (verdict: Verdict) => {
      if (life === this.#lives) this.#hear(verdict);
    };
    const listener: ProcessListener = {
      next: () => hear({ kind: "next" }),
      initError: (errorType, payload) => hear({ kind: "initError", errorType, payload }),
      answer: (payload, errorType) =>
        hear({ kind: "answer", payload, ...(errorType === undefined ? {} : { errorType }) }),
      answerTooLarge: (bytes) => hear({ kind: "tooLarge", bytes, bytesMax: responseBytesMax }),
      answerRefused: (errorType, errorMessage) => hear({ kind: "refused", errorType, errorMessage }),
      stream: (contentType, source) => {
        const { sink, limits } = { sink: this.#sink, limits: this.#deps.streaming };
        this.#streamed = new AnswerStream({ contentType, sink, limits, source, hear });
        return this.#streamed;
      },
      log: (record, payload) => (record ? this.#stream.record(payload) : this.#written.write(payload)),
      exit: (exit) => hear({ kind: "exit", exit }),
    };
    this.#verdicts.clear();
    const spec = { id: this.#deps.ids.hex(16), stream: this.#stream, ...this.#spec };
    const booting = RuntimeProcess.boot(this.#deps, spec, listener);
    this.#booting = booting.catch(() => undefined);
    this.#process = await booting;
    if (this.#gone) throw new EnvironmentEnded();
  }

  #hear(verdict: Verdict): void {
    if (verdict.kind === "exit" && verdict.exit.outOfMemory) this.#memoryMb = this.version.memoryMb;
    if (this.#state !== "idle") this.#verdicts.push(verdict);
    // Nothing was asked. A process that ended takes its environment along.
    else if (verdict.kind === "exit") void this.end();
  }

  async #readMemory(): Promise<number> {
    const bytes = (await this.#process?.peakMemoryBytes().catch(() => 0)) ?? 0;
    this.#memoryMb = Math.min(Math.max(this.#memoryMb, Math.ceil(bytes / mebibyte)), this.version.memoryMb);
    return this.#memoryMb;
  }

  async #end(): Promise<void> {
    this.#enter("stopping");
    clearTimeout(this.#timer);
    try {
      const process = (await this.#booting) ?? this.#process;
      await process?.stop();
    } catch (error) {
      this.#deps.log.error("an execution environment could not be ended", { error });
    }
    await this.#finished;
    await this.#stream.flush();
    this.#enter("gone");
    this.#onChange(this);
  }

  #enter(state: EnvironmentState): void {
    this.#state = enter(this.#state, state);
  }
}
