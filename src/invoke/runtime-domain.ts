/** One life of a function's runtime and of its extensions: what they are told, and what is heard of them. */
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import { AnswerStream } from "./answer-stream.ts";
import { ExtensionSet } from "./extensions/extension-set.ts";
import { ExtensionsApi } from "./extensions/extensions-api.ts";
import { lastWordsMs, responseBytesMax } from "./limits.ts";
import type { StreamLimits } from "./limits.ts";
import type { LogStream } from "./log-stream.ts";
import { RuntimeProcess } from "./runtime-process.ts";
import type { ProcessDeps, ProcessListener, ProcessSpec } from "./runtime-process.ts";
import { TelemetryApi } from "./telemetry/telemetry-api.ts";
import type { AnswerSink, Invocation } from "./types.ts";
import { VerdictQueue } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

export interface DomainDeps extends ProcessDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly streaming: StreamLimits;
}

export type DomainSpec = Omit<ProcessSpec, "id" | "apis">;

export class RuntimeDomain {
  readonly extensions: ExtensionSet;
  readonly #deps: DomainDeps;
  readonly #spec: DomainSpec;
  readonly #stream: LogStream;
  readonly #onDeath: () => void;
  readonly #verdicts = new VerdictQueue();
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

  /** @param onDeath Something of it ended while nothing was asked of it. */
  constructor(deps: DomainDeps, spec: DomainSpec, onDeath: () => void) {
    this.#deps = deps;
    this.#spec = spec;
    this.#stream = spec.stream;
    this.#onDeath = onDeath;
    this.extensions = new ExtensionSet(deps.ids, {
      registered() {},
      ready: () => {
        if (this.#awaitsExtensions) this.#hear({ kind: "ready" });
      },
      failed: ({ name, errorType }, type) =>
        // Its process is about to end and to say how; one that stays has failed all the same.
        setTimeout(
          () =>
            this.#hear({ kind: "extensionFailed", errorType: type, message: `${name}: ${errorType ?? ""}` }),
          lastWordsMs,
        ).unref(),
    });
  }

  /** Starts everything. @throws SandboxError. */
  async boot(): Promise<void> {
    const { ids } = this.#deps;
    const extensions = () => this.extensions;
    const telemetry = {
      telemetry: this.#stream.telemetry,
      extensions,
      address: () => this.#process?.address ?? "",
      tell: (event: Parameters<LogStream["platform"]>[0]) => this.#stream.platform(event),
    };
    const apis = [
      new ExtensionsApi({ version: this.#spec.version, ids, extensions }),
      new TelemetryApi("telemetry", telemetry),
      new TelemetryApi("logs", telemetry),
    ];
    const spec = { id: ids.hex(16), apis, ...this.#spec };
    const booting = RuntimeProcess.boot(this.#deps, spec, this.#listener());
    this.#booting = booting.catch(() => undefined);
    this.#process = await booting;
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
    this.#process?.deliver({
      requestId,
      deadline,
      functionArn: invokedFunctionArn,
      traceHeader,
      clientContext: invocation.clientContext ?? "",
      cognitoIdentity: "",
      payload: invocation.payload,
    });
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

  /** Nothing is asked of it until the next `deliver`. */
  rest(): void {
    this.#verdicts.clear();
    this.#isAsked = false;
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

  /** Ends everything, and resolves when nothing is left. Who waits for an answer hears of the end. */
  async stop(graceMs: number): Promise<void> {
    this.#isOver = true;
    const process = (await this.#booting) ?? this.#process;
    await process?.stop(graceMs);
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
      log: (record, payload) => (record ? this.#stream.record(payload) : written.write(payload)),
      exit: (exit) => hear({ kind: "exit", exit }),
    };
  }

  #hear(verdict: Verdict): void {
    if (this.#isAsked) this.#verdicts.push(verdict);
    else if (!this.#isOver && (verdict.kind === "exit" || verdict.kind === "extensionFailed"))
      this.#onDeath();
  }
}
