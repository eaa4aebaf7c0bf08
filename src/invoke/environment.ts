/** One execution environment: boots and initializes a runtime on its own, gives it one invocation at a time, and tells how each ended. */
import { setTimeout as sleep } from "node:timers/promises";
import { SandboxEnded } from "../sandbox/index.ts";
import { systemClock } from "../kit/clock.ts";
import { afterTurn, allRead } from "../kit/after-turn.ts";
import { InvocationsAhead } from "./ahead.ts";
import { enter } from "./environment-state.ts";
import type { EnvironmentState, ShutdownReason } from "./environment-state.ts";
import { runInitPhase } from "./init-phase.ts";
import type { InitResult } from "./init-phase.ts";
import { EnvironmentEnded } from "./errors.ts";
import type { EnvironmentDeps, EnvironmentSpec } from "./environment-spec.ts";
import { credentialsMarginMs } from "./limits.ts";
import { InvocationReport } from "./invocation-report.ts";
import type { Result } from "./invocation-report.ts";
import { LogStream, streamName } from "./log-stream.ts";
import { sourceOf } from "./metrics.ts";
import { RuntimeDomain } from "./runtime-domain.ts";
import { runRestorePhase } from "./restore-phase.ts";
import type { Restored } from "./restore-phase.ts";
import { isGood, judge } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";
import type { FunctionVersion, Invocation, Outcome } from "./types.ts";

/** How long a caller waits, after its answer, for a custom runtime to ask for more: else its next call would boot another. */
const backMs = 2;
/** Invocations that it is handed behind the one under way, at most. */
const aheadMax = 8;
const mebibyte = 1_048_576;

/** The invocation was given back: another environment may have it, and this one goes on or ends by itself. */
class Withdrawn extends EnvironmentEnded {}

export class Environment {
  readonly version: FunctionVersion;
  /** Monotonic milliseconds since when it has had no work. */
  idleSince = 0;
  /** How long the server had nothing to do during the last invocation. */
  idleDuringMs = Number.POSITIVE_INFINITY;
  readonly #deps: EnvironmentDeps;
  readonly #spec: EnvironmentSpec;
  readonly #stream: LogStream;
  readonly #metadataToken: string;
  readonly #bornAt = performance.now();
  readonly #onChange: (environment: Environment) => void;
  /** How the init phase ended; the first invocation takes it. */
  #init: InitResult | undefined;
  /** How it was restored; the first invocation takes it too. */
  #restored: Restored | undefined;
  #bootFailure: unknown;
  #state: EnvironmentState = "booting";
  #domain: RuntimeDomain;
  #frozen: Promise<void> | undefined;
  #memoryMb = 0;
  /** The function timeout of the invocation under way; armed anew for each, since most end long before it. */
  #timer: NodeJS.Timeout | undefined;
  /** Monotonic milliseconds at which the invocation under way is over. */
  #expiresAt = Number.POSITIVE_INFINITY;
  /** The last invocation's log lines are written. */
  #finished: Promise<Buffer | undefined> | undefined;
  #isFinishing = false;
  #resetting: Promise<void> | undefined;
  /** What the runtime is working on: handed over and, as far as was heard, not answered. */
  #underWay: Invocation | undefined;
  /** That was handed over while another was under way. */
  #beganAhead = false;
  readonly #ahead = new InvocationsAhead();
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
    this.#metadataToken = spec.snapshot?.token ?? deps.ids.hex(64);
    this.#stream = new LogStream({
      version: spec.version,
      ports: deps.ports,
      clock: deps.clock,
      name: streamName(spec.version, deps.clock.now(), deps.ids.hex(32)),
      initializationType: spec.initializationType ?? "on-demand",
      memoryMb: () => this.#readMemory(),
    });
    this.#domain = this.#newDomain();
    (spec.snapshot ? this.#restore() : this.#firstInit()).catch((error: unknown) => {
      this.#bootFailure = error;
      void this.end();
    });
  }

  get state(): EnvironmentState {
    return this.#state;
  }

  /** Whether it waits for an invocation: with everything running, or empty after a failure. */
  get isIdle(): boolean {
    return this.#state === "idle" || this.#state === "failed";
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined;
  }

  /** Why it is gone before its init phase had ended: no sandbox could be made, or it was told to end. */
  get bootFailure(): unknown {
    return this.#bootFailure;
  }

  /** Its init phase failed, and will be run again inside the next invocation. */
  get initFailed(): boolean {
    return this.#state === "failed";
  }

  get ageMs(): number {
    return performance.now() - this.#bornAt;
  }

  /** Whether its credentials last for another invocation. */
  get hasCredentials(): boolean {
    const margin = this.version.timeoutMs + credentialsMarginMs;
    return this.#spec.credentials.expiresAt - this.#deps.clock.now() > margin;
  }

  /** How many more invocations it may be handed when it works on one. */
  get roomAhead(): number {
    return !this.#gone && this.#domain.takesAhead ? aheadMax - this.#ahead.count : 0;
  }

  /** It begins another invocation at once, which was handed over ahead. */
  get hasNext(): boolean {
    return this.#ahead.count > 0;
  }

  /** Runs one invocation; only when idle. @throws EnvironmentEnded; SandboxError when no sandbox could be made for a second init. */
  async invoke(invocation: Invocation): Promise<Outcome> {
    // The log lines of the invocation before come first.
    if (this.#isFinishing) await this.#finished;
    if (this.#gone) throw new EnvironmentEnded();
    return this.#runOrEnd(invocation, false);
  }

  /**
   * Hands an invocation over while another is under way; it begins when those before it are over. Only where there is `roomAhead`.
   * @throws EnvironmentEnded where it was not to be handed over, or did not begin.
   */
  async invokeAhead(invocation: Invocation): Promise<Outcome> {
    const deadline = systemClock.now() + this.version.timeoutMs;
    if (!this.#underWay || this.roomAhead === 0 || !this.#domain.deliverAhead(invocation, deadline))
      throw new EnvironmentEnded();
    await this.#ahead.add(invocation.requestId);
    if (this.#isFinishing) await this.#finished;
    if (!this.#ahead.isFirst(invocation.requestId)) this.#goOnWithout();
    return this.#runOrEnd(invocation, true);
  }

  /**
   * Takes back what was handed over ahead: what is under way is slow. The runtime looks for a recall between writing an answer and
   * beginning the next invocation, and we look for its answer after writing the recall; where there is none, it will see the recall.
   */
  recall(): void {
    const slow = this.#underWay;
    if (!slow || this.#ahead.count === 0) return;
    void this.#recallBehind(slow);
  }

  async #recallBehind(slow: Invocation): Promise<void> {
    const isWritten = this.#domain.recallAhead(slow.requestId);
    await allRead();
    // Else its answer was on the way, and the runtime says what it has not begun.
    if (this.#underWay !== slow) return;
    if (isWritten) this.#takeBack();
    else setTimeout(() => this.recall(), backMs);
  }

  /** Freezes it until the next invocation. */
  freeze(): void {
    if (this.#state !== "idle" || this.#frozen) return;
    this.#frozen = this.#domain.freeze().catch((error: unknown) => {
      this.#deps.log.warn("an execution environment could not be frozen", { error });
    });
  }

  /** Remembers what it uses of memory now, if that is the most so far. */
  lookAtMemory(): void {
    void this.#readMemory();
  }

  /** Ends it and resolves when nothing of it is left and its log is handed over. */
  end(reason: ShutdownReason = "spindown"): Promise<void> {
    this.#gone ??= this.#end(reason);
    return this.#gone;
  }

  async #runOrEnd(invocation: Invocation, isAhead: boolean): Promise<Outcome> {
    try {
      return await this.#run(invocation, isAhead);
    } catch (error) {
      if (!(error instanceof Withdrawn)) await this.end();
      throw error;
    }
  }

  async #run(invocation: Invocation, isAhead: boolean): Promise<Outcome> {
    const init = this.#init;
    const restored = this.#restored;
    this.#init = this.#restored = undefined;
    if (invocation.wantLogTail) this.#stream.beginTail();
    const { timeoutMs } = this.version;
    const startedAt = performance.now();
    const idleBefore = performance.nodeTiming.idleTime;
    // What runs holds it against the machine's clock.
    const deadline = systemClock.now() + timeoutMs;
    this.#expiresAt = startedAt + timeoutMs;
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.#expire(), timeoutMs);
    const failedAgain = this.#state === "failed" ? await this.#initAgain() : undefined;
    this.#stream.platform({
      type: "start",
      requestId: invocation.requestId,
      version: this.version.version,
      ...(invocation.traceHeader === undefined ? {} : { traceHeader: invocation.traceHeader }),
    });
    const verdict = failedAgain ?? (await this.#handOver(invocation, deadline, isAhead));
    this.#underWay = undefined;
    if (verdict.kind === "withdrawn") return this.#withdraw(invocation);
    const streamed = this.#domain.endStream();
    const elapsed = performance.now() - startedAt;
    this.idleDuringMs = performance.nodeTiming.idleTime - idleBefore;
    const result: Result = {
      ...judge(verdict, invocation.requestId, timeoutMs),
      startedAt,
      ...(streamed ? { streamed } : {}),
      durationMs: verdict.kind === "timeout" ? timeoutMs : elapsed,
      ...(init ? { initDurationMs: init.durationMs } : {}),
      ...(restored ? { restored } : {}),
    };
    this.#isFinishing = true;
    this.#finished = this.#finish(invocation, verdict, result);
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

  async #handOver(invocation: Invocation, deadline: number, isAhead: boolean): Promise<Verdict> {
    this.#enter("busy");
    if (this.#frozen) await this.#thaw();
    this.#underWay = invocation;
    this.#beganAhead = isAhead;
    if (isAhead) {
      this.#ahead.removeFirst();
      this.#domain.beginAhead();
    } else this.#domain.deliver(invocation, deadline);
    return this.#domain.next();
  }

  /** It was given back when we already thought that it had begun, mostly because the function has ended its process. */
  #withdraw({ requestId }: Invocation): never {
    this.#stream.platform({ type: "end", requestId });
    // What was handed over behind it since may have begun.
    if (this.hasNext) this.#over({ kind: "next" });
    else void this.end();
    throw new Withdrawn();
  }

  /** The one whose turn had come was given back before it began. */
  #goOnWithout(): never {
    if (this.hasNext) this.#ahead.callFirst();
    else void this.end();
    throw new Withdrawn();
  }

  /** Lets others have what has not begun. @param requestIds All when absent. */
  #takeBack(requestIds?: readonly string[]): void {
    if (!requestIds) this.#domain.forgetAhead();
    this.#ahead.takeBack(requestIds, new EnvironmentEnded());
    // Only what was handed over ahead can be given back.
    if (this.#beganAhead && this.#underWay && requestIds?.includes(this.#underWay.requestId))
      this.#domain.withdraw();
  }

  async #thaw(): Promise<void> {
    if (!this.#frozen) return;
    await this.#frozen;
    this.#frozen = undefined;
    await this.#domain.thaw();
  }

  async #finish(invocation: Invocation, verdict: Verdict, result: Result): Promise<Buffer | undefined> {
    try {
      return await this.#comeBack(invocation, verdict, result);
    } catch (error) {
      this.#deps.log.error("an invocation could not be finished", { error });
      return undefined;
    } finally {
      this.#isFinishing = false;
    }
  }

  /** Waits until the runtime and its extensions are back, tells the log how it went, and makes the environment idle or ends it. */
  async #comeBack(invocation: Invocation, verdict: Verdict, result: Result): Promise<Buffer | undefined> {
    const domain = this.#domain;
    const answered = verdict.kind === "answer" || verdict.kind === "tooLarge" || verdict.kind === "refused";
    // Our bootstraps are back with their answer: the environment is free before the caller can come again.
    const back = answered ? (domain.take() ?? (await domain.next())) : verdict;
    const backAt = performance.now();
    const hasExtensions = domain.extensions.size > 0;
    if (!hasExtensions) this.#over(back);
    // What the function wrote to its pipes before it answered is read in this turn of the loop; the next must not wait for that.
    if (this.#ahead.count === 0) await afterTurn();
    this.#stream.breakLines();
    const { timeoutMs, memoryMb } = this.version;
    const report = new InvocationReport(invocation, result, {
      stream: this.#stream,
      clock: this.#deps.clock,
      timeoutMs,
    });
    report.runtimeDone(back, answered ? backAt : undefined);
    const last = hasExtensions && back.kind === "next" ? await domain.extensionsReady() : back;
    if (hasExtensions) this.#extensionsOver(invocation, last, backAt);
    if (!isGood(last)) await this.#readMemory();
    report.over(last, hasExtensions ? backAt : undefined, memoryMb);
    const tail = invocation.wantLogTail ? await this.#stream.takeTail() : undefined;
    if (!isGood(last)) void this.#reset(last);
    return tail;
  }

  #extensionsOver(invocation: Invocation, last: Verdict, backAt: number): void {
    const source = sourceOf(this.version, invocation.invokedFunctionArn);
    this.#deps.metrics.record(source, "PostRuntimeExtensionsDuration", performance.now() - backAt);
    this.#over(last);
  }

  #expire(): void {
    const early = this.#expiresAt - performance.now();
    // A timer's millisecond may be a little short.
    if (early <= 1) return this.#domain.expire();
    this.#timer = Number.isFinite(early) ? setTimeout(() => this.#expire(), early) : undefined;
  }

  /** Nobody is waited for any more: the environment is free for the next, unless something of it failed. */
  #over(verdict: Verdict): void {
    this.#expiresAt = Number.POSITIVE_INFINITY;
    if (verdict.kind === "exit" && verdict.exit.outOfMemory) this.#memoryMb = this.version.memoryMb;
    if (!isGood(verdict) || this.#gone) return this.#takeBack();
    this.#domain.rest(this.hasNext);
    this.#enter("idle");
    this.#rest();
    this.#ahead.callFirst();
  }

  #rest(): void {
    this.idleSince = performance.now();
    this.#onChange(this);
  }

  /** The init phase proper. After a failure the first invocation tries once more. @throws SandboxError, EnvironmentEnded. */
  async #firstInit(): Promise<void> {
    const init = await this.#initPhase("init");
    if (this.#gone) throw new EnvironmentEnded();
    if (init.failure) return this.#reset(init.failure, true);
    this.#init = init;
    this.#initialized();
    this.#rest();
  }

  /** Goes on from a snapshot. @throws SnapStartFailed, SnapStartTimedOut, SandboxError, EnvironmentEnded. */
  async #restore(): Promise<void> {
    const [domain, stream, { version, runtime }] = [this.#domain, this.#stream, this.#spec];
    const begun = () => this.#begun();
    this.#restored = await runRestorePhase({ domain, stream, version, runtime, begun });
    if (this.#gone) throw new EnvironmentEnded();
    this.#initialized();
    this.#rest();
  }

  #begun(): void {
    if (this.#gone) throw new EnvironmentEnded();
    if (this.#state === "booting") this.#enter("init");
  }

  /** AWS runs a failed init phase again under the function's own timeout. Undefined when it went well now. */
  async #initAgain(): Promise<Verdict | undefined> {
    this.#enter("init");
    this.#domain = this.#newDomain(this.#domain);
    const { failure } = await this.#initPhase("invoke");
    if (this.#gone) throw new EnvironmentEnded();
    if (!failure) this.#initialized();
    return failure;
  }

  /** @throws SandboxError; EnvironmentEnded when it was told to end before everything was started. */
  #initPhase(phase: "init" | "invoke"): Promise<InitResult> {
    const { version, runtime, initializationType } = this.#spec;
    return runInitPhase({
      domain: this.#domain,
      stream: this.#stream,
      version,
      runtime,
      phase,
      isProvisioned: initializationType === "provisioned-concurrency",
      begun: () => this.#begun(),
    });
  }

  /**
   * Shuts down all that runs after a failure, and keeps the sandbox for the next invocation, as AWS does.
   * @param isAwaited An invocation waits for its init phase to end: it has it even without a sandbox, and the next init makes one.
   */
  async #reset(failure: Verdict, isAwaited = false): Promise<void> {
    if (this.#gone) return;
    const reason = failure.kind === "timeout" ? "timeout" : "failure";
    // The next one is restored anew: this one's sandbox has nothing to begin from.
    if (this.#spec.snapshot) return this.end(reason);
    this.#enter("resetting");
    this.#resetting = this.#domain.reset(reason);
    try {
      await this.#resetting;
    } catch (error) {
      // Functions may end their sandboxes, and so may the kernel, for memory.
      const isEnded = error instanceof SandboxEnded;
      if (!isEnded) this.#deps.log.warn("an execution environment could not be reset", { error });
      if (!isEnded) this.#bootFailure = error;
      if (!isEnded || !isAwaited) void this.end(reason);
    }
    if (this.#gone) return;
    this.#enter("failed");
    this.#rest();
  }

  #initialized(): void {
    this.#domain.rest();
    this.#enter("idle");
    this.#domain.limitCpu().catch((error: unknown) => {
      this.#deps.log.warn("the CPU share of an execution environment could not be set", { error });
    });
    void this.#readMemory();
  }

  /** @param before The life that was shut down; its sandbox is taken over. */
  #newDomain(before?: RuntimeDomain): RuntimeDomain {
    const spec = { ...this.#spec, stream: this.#stream, metadataToken: this.#metadataToken };
    const domain = new RuntimeDomain(this.#deps, spec, () => void this.end("failure"), before);
    domain.onRecalled = (requestIds) => this.#takeBack(requestIds);
    return domain;
  }

  async #readMemory(): Promise<number> {
    const bytes = await this.#domain.peakMemoryBytes();
    this.#memoryMb = Math.min(Math.max(this.#memoryMb, Math.ceil(bytes / mebibyte)), this.version.memoryMb);
    return this.#memoryMb;
  }

  async #end(reason: ShutdownReason): Promise<void> {
    this.#enter("stopping");
    clearTimeout(this.#timer);
    this.#takeBack();
    try {
      await this.#thaw();
      await this.#resetting?.catch(() => {});
      await this.#domain.shutDown(reason);
    } catch (error) {
      this.#deps.log.error("an execution environment could not be ended", { error });
    }
    this.#spec.releaseCode?.();
    await this.#finished;
    this.#stream.telemetry.close();
    await this.#stream.flush();
    this.#enter("gone");
    this.#onChange(this);
  }

  #enter(state: EnvironmentState): void {
    this.#state = enter(this.#state, state);
  }
}
