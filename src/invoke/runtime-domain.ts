/** One life of a function's runtime and of its extensions: what they are told, and what is heard of them. */
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../kit/clock.ts";
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { AnswerStream } from "./answer-stream.ts";
import { CredentialsApi } from "./credentials-api.ts";
import { extensionVariables } from "./environment-variables.ts";
import type { ShutdownReason } from "./environment-state.ts";
import { ExtensionSet } from "./extensions/extension-set.ts";
import { ExtensionsApi } from "./extensions/extensions-api.ts";
import { ExternalExtensions } from "./extensions/external-extensions.ts";
import type { ExtensionFailure, ExternalExtension } from "./extensions/external-extensions.ts";
import {
  externalShutdownMs,
  internalShutdownMs,
  lastWordsMs,
  responseBytesMax,
  runtimeShutdownMs,
} from "./limits.ts";
import type { StreamLimits } from "./limits.ts";
import type { LogStream } from "./log-stream.ts";
import { MetadataApi, firstZoneId } from "./metadata-api.ts";
import type { PlatformEvent } from "./platform-events.ts";
import { RuntimeProcess } from "./runtime-process.ts";
import type { Delivery } from "./runtime-channel.ts";
import type { ProcessDeps, ProcessListener, ProcessSpec } from "./runtime-process.ts";
import type { SandboxApiPart } from "./sandbox-api.ts";
import { TelemetryApi } from "./telemetry/telemetry-api.ts";
import type { AnswerSink, Credentials, FunctionVersion, Invocation } from "./types.ts";
import { VerdictQueue } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

export interface DomainDeps extends ProcessDeps {
  /** Of a version's role: for those that ask for them as long as they run, since a snapshot would outlive its own. */
  credentials(version: FunctionVersion): Promise<Credentials>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly streaming: StreamLimits;
  /** What functions are told of the zone that they run in; that of the region's first zone when empty. */
  readonly availabilityZoneId: string;
}

export interface DomainSpec extends Omit<ProcessSpec, "id" | "apis" | "begun"> {
  /** The extensions that run as programs of their own. */
  readonly extensions: readonly ExternalExtension[];
}

export class RuntimeDomain {
  readonly extensions: ExtensionSet;
  readonly #deps: DomainDeps;
  readonly #spec: DomainSpec;
  readonly #stream: LogStream;
  readonly #onDeath: () => void;
  readonly #before: RuntimeDomain | undefined;
  readonly #verdicts = new VerdictQueue();
  readonly #external: ExternalExtensions;
  /** What extensions reported of themselves before their processes ended. */
  readonly #failures = new Map<string, string>();
  #address = "";
  #process: RuntimeProcess | undefined;
  /** The process that is being booted; undefined when it could not be. */
  #booting: Promise<RuntimeProcess | undefined> | undefined;
  /** Whether an answer is owed; a process that ends while none is takes the environment along. */
  #isAsked = true;
  #isOver = false;
  #awaitsExtensions = false;
  /** Who takes the answer to the invocation under way as it is made, and that answer once the runtime streams it. */
  #sink: AnswerSink | undefined;
  #streamed: AnswerStream | undefined;

  /**
   * @param onDeath Something of it ended while nothing was asked of it.
   * @param before A life that was reset, whose sandbox this one takes over.
   */
  constructor(deps: DomainDeps, spec: DomainSpec, onDeath: () => void, before?: RuntimeDomain) {
    this.#deps = deps;
    this.#before = before;
    this.#spec = spec;
    this.#stream = spec.stream;
    this.#onDeath = onDeath;
    this.extensions = new ExtensionSet(deps.ids, {
      registered: () => this.#hear({ kind: "registered" }),
      ready: () => {
        if (this.#awaitsExtensions) this.#hear({ kind: "ready" });
      },
      failed: ({ name, errorType = "" }, type) => {
        this.#failures.set(name, type);
        // Its process is about to end and to say how; one that stays has failed all the same.
        const message = `${name}: ${errorType}`;
        const verdict = { kind: "extensionFailed", errorType: type, message } as const;
        setTimeout(() => this.#hear(verdict), lastWordsMs).unref();
      },
    });
    const input = { ...spec, logStream: spec.stream.name, endpointPort: deps.endpointPort };
    this.#external = new ExternalExtensions({
      extensions: this.extensions,
      environment: (inside) => extensionVariables(input, inside),
      output: spec.stream.output("extension"),
      onFailure: (failure) => this.#extensionFailed(failure),
    });
  }

  /** Called with invocations that were handed over ahead and will not begin. */
  onRecalled: (requestIds: readonly string[]) => void = () => {};

  /** Starts everything. @param begun Called when there is a sandbox, and its programs start. @throws SandboxError. */
  async boot(begun: () => void): Promise<void> {
    const spec = {
      ...this.#spec,
      id: this.#deps.ids.hex(16),
      apis: this.#apis(),
      begun: (sandbox: Sandbox) => {
        this.#address = sandbox.address;
        begun();
        return this.#startExtensions(sandbox);
      },
    };
    const booting = RuntimeProcess.boot(this.#deps, spec, this.#listener(), this.#before?.process);
    this.#booting = booting.catch(() => undefined);
    this.#process = await booting;
  }

  /** What it was or is booted as; its sandbox outlives it by a reset. */
  get process(): RuntimeProcess | undefined {
    return this.#process;
  }

  /** Hands the runtime, and the extensions that want to know, an invocation. @param deadline Epoch milliseconds. */
  deliver(invocation: Invocation, deadline: number): void {
    this.#isAsked = true;
    this.#sink = invocation.sink;
    const { requestId, invokedFunctionArn } = invocation;
    const traceHeader = invocation.traceHeader ?? "";
    if (this.extensions.size > 0)
      this.extensions.send("INVOKE", {
        eventType: "INVOKE",
        deadlineMs: Math.floor(deadline),
        requestId,
        invokedFunctionArn,
        tracing: { type: "X-Amzn-Trace-Id", value: traceHeader },
      });
    this.#process?.deliver(deliveryOf(invocation, deadline));
  }

  /** Whether invocations may be handed over behind the one under way: not where others have to hear of each as it begins. */
  get takesAhead(): boolean {
    return this.extensions.size === 0 && this.#process?.ahead !== undefined;
  }

  /** Hands over an invocation behind the one under way. False where that cannot be. */
  deliverAhead(invocation: Invocation, deadline: number): boolean {
    return this.takesAhead && this.#process?.ahead?.deliver(deliveryOf(invocation, deadline)) === true;
  }

  /** The first that was handed over ahead is under way. */
  beginAhead(): void {
    this.#isAsked = true;
    this.#sink = undefined;
    this.#process?.ahead?.begin();
  }

  /** Asks for what was handed over ahead. False where that could not be written yet. */
  recallAhead(requestId: string): boolean {
    return this.#process?.ahead?.recall(requestId) ?? false;
  }

  forgetAhead(): void {
    this.#process?.ahead?.forget();
  }

  /** What comes of a streamed answer from now on is nobody's. @returns What came of it; undefined when none was streamed. */
  endStream(): AnswerStream | undefined {
    const streamed = this.#streamed;
    this.#streamed = undefined;
    streamed?.close();
    return streamed;
  }

  /** What is heard next. */
  next(): Promise<Verdict> {
    return this.#verdicts.next();
  }

  /** What was heard already, if anything. */
  take(): Verdict | undefined {
    return this.#verdicts.take();
  }

  /** Waits until every extension waits for its next event. Anything but `ready` is what went wrong instead. */
  async extensionsReady(): Promise<Verdict> {
    if (this.extensions.areReady) return { kind: "ready" };
    this.#awaitsExtensions = true;
    const verdict = await this.#verdicts.next();
    this.#awaitsExtensions = false;
    return verdict;
  }

  /** The time for what was asked is up. */
  expire(): void {
    this.#hear({ kind: "timeout" });
  }

  /** Nothing is asked of it until the next `deliver`, unless it has an invocation ahead, which it may begin before we know. */
  rest(hasNext = false): void {
    this.#verdicts.clear();
    this.#isAsked = hasNext;
  }

  limitCpu(): Promise<void> {
    return this.#process?.limitCpu() ?? Promise.resolve();
  }

  async freeze(): Promise<void> {
    this.#stream.telemetry.pause();
    await this.#process?.freeze();
  }

  /** It is about to be given an invocation. */
  async thaw(): Promise<void> {
    this.#isAsked = true;
    await this.#process?.thaw();
    this.#stream.telemetry.resume();
  }

  async peakMemoryBytes(): Promise<number> {
    return (await this.#process?.peakMemoryBytes().catch(() => 0)) ?? 0;
  }

  /** Saves it into an empty folder, while nothing is asked of it, and ends it. @throws SandboxError with what cannot be saved. */
  async checkpoint(folder: string): Promise<void> {
    this.#isOver = true;
    await this.#process?.checkpoint(folder);
  }

  /** The shutdown phase, after which nothing runs; the sandbox stays for another life. @throws SandboxError. */
  async reset(reason: ShutdownReason): Promise<void> {
    await this.#endPrograms(reason);
    await this.#process?.reset();
  }

  /** The shutdown phase. Resolves when nothing is left. Who waits for an answer hears of the end. */
  async shutDown(reason: ShutdownReason): Promise<void> {
    // Extensions that have not registered are waited for no longer.
    if (this.#booting && !this.#process) this.expire();
    await this.#booting;
    await this.#endPrograms(reason);
    await (this.#process ?? this.#before?.process)?.stop(0);
  }

  /**
   * The runtime is asked to end, then its external extensions, each within its share of AWS's budget; what is left after it is for the
   * caller to kill.
   */
  async #endPrograms(reason: ShutdownReason): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const { hasExternal, size } = this.extensions;
    if (this.#process && size > 0) {
      const budgetMs = hasExternal ? externalShutdownMs : internalShutdownMs;
      // Extensions hold it against the machine's clock.
      const deadlineMs = systemClock.now() + budgetMs;
      const runtimeMs = hasExternal ? runtimeShutdownMs : internalShutdownMs;
      // Subscribers have what was told so far before they are told to end.
      const flushed = Promise.race([
        this.#stream.telemetry.flush(),
        sleep(runtimeMs, undefined, { ref: false }),
      ]);
      await Promise.all([this.#process.terminate(runtimeMs), flushed]);
      const event = { eventType: "SHUTDOWN", shutdownReason: reason, deadlineMs: Math.floor(deadlineMs) };
      await this.#external.shutDown(event, Math.max(0, deadlineMs - systemClock.now()));
    }
    this.#external.dismiss();
  }

  #apis(): readonly SandboxApiPart[] {
    const extensions = () => this.extensions;
    const telemetry = {
      telemetry: this.#stream.telemetry,
      extensions,
      address: () => this.#address,
      tell: (event: PlatformEvent) => this.#stream.platform(event),
    };
    return [
      ...(this.#spec.initializationType === "snap-start"
        ? [new CredentialsApi(this.#spec.metadataToken, () => this.#deps.credentials(this.#spec.version))]
        : []),
      new ExtensionsApi({ version: this.#spec.version, ids: this.#deps.ids, extensions }),
      new TelemetryApi("telemetry", telemetry),
      new TelemetryApi("logs", telemetry),
      new MetadataApi(
        this.#spec.metadataToken,
        this.#deps.availabilityZoneId || firstZoneId(this.#spec.version.region),
      ),
    ];
  }

  /** Starts the external extensions and waits until all have registered; false when one of them, or the time, failed. */
  async #startExtensions(sandbox: Sandbox): Promise<boolean> {
    const { extensions } = this.#spec;
    if (extensions.length === 0) return true;
    await this.#external.start(sandbox, extensions);
    const verdict = await this.#verdicts.next();
    if (verdict.kind === "registered") return true;
    this.#verdicts.push(verdict);
    return false;
  }

  #extensionFailed({ name, errorType, message }: ExtensionFailure): void {
    // What it said before it ended is the reason.
    const said = this.#failures.get(name) ?? errorType;
    this.#hear({ kind: "extensionFailed", errorType: said, message });
  }

  #listener(): ProcessListener {
    const hear = (verdict: Verdict) => this.#hear(verdict);
    const written = this.#stream.output();
    return {
      next: () => {
        this.extensions.close();
        hear({ kind: "next" });
      },
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
      recalled: (requestIds) => this.onRecalled(requestIds),
      log: (record, payload) => (record ? this.#stream.record(payload) : written.write(payload)),
      exit: (exit) => hear({ kind: "exit", exit }),
    };
  }

  /** The invocation under way was recalled before it began. */
  withdraw(): void {
    this.#hear({ kind: "withdrawn" });
  }

  #hear(verdict: Verdict): void {
    if (this.#isAsked) this.#verdicts.push(verdict);
    else if (!this.#isOver && (verdict.kind === "exit" || verdict.kind === "extensionFailed"))
      this.#onDeath();
  }
}

function deliveryOf(invocation: Invocation, deadline: number): Delivery {
  return {
    requestId: invocation.requestId,
    deadline,
    functionArn: invocation.invokedFunctionArn,
    traceHeader: invocation.traceHeader ?? "",
    clientContext: invocation.clientContext ?? "",
    cognitoIdentity: "",
    payload: invocation.payload,
  };
}
