/** What the log and all subscribers are told of an invocation when its runtime is done, and when everything is. */
import type { Clock } from "../kit/clock.ts";
import type { LogStream } from "./log-stream.ts";
import type { Restored } from "./restore-phase.ts";
import type { Invocation } from "./types.ts";
import { isGood, judge } from "./verdict.ts";
import type { Judgement, Verdict } from "./verdict.ts";

/** The result of an invocation before it becomes log lines and an outcome. Times are monotonic milliseconds. */
export interface Result extends Judgement {
  readonly startedAt: number;
  readonly durationMs: number;
  readonly initDurationMs?: number;
  readonly restored?: Restored;
  /** The answer that the caller took while it was made. */
  readonly streamed?: { readonly bytes: number; readonly startedAt: number };
}

export class InvocationReport {
  readonly #invocation: Invocation;
  readonly #result: Result;
  readonly #stream: LogStream;
  readonly #clock: Clock;
  /** The function's, in milliseconds. */
  readonly #timeoutMs: number;

  constructor(
    invocation: Invocation,
    result: Result,
    { stream, clock, timeoutMs }: { stream: LogStream; clock: Clock; timeoutMs: number },
  ) {
    this.#invocation = invocation;
    this.#result = result;
    this.#stream = stream;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** @param back What was heard instead of an answer, or after it. @param backAt When the runtime asked for more after an answer. */
  runtimeDone(back: Verdict, backAt: number | undefined): void {
    if (!this.#stream.tellsMore) return;
    const { startedAt, durationMs, payload, streamed } = this.#result;
    if (back.kind === "exit")
      this.#stream.platform({
        type: "fault",
        message: `RequestId: ${this.#invocation.requestId} Process exited before completing request`,
      });
    const responseLatencyMs = streamed ? streamed.startedAt - startedAt : durationMs;
    this.#stream.platform({
      type: "runtimeDone",
      requestId: this.#invocation.requestId,
      ...this.#ending(back),
      ...this.#tracing(),
      durationMs,
      producedBytes: streamed?.bytes ?? payload.length,
      startedAt: this.#epoch(startedAt),
      ...(backAt === undefined
        ? {}
        : {
            responseLatencyMs,
            responseDurationMs: durationMs - responseLatencyMs,
            runtimeOverheadMs: backAt - startedAt - durationMs,
          }),
    });
  }

  /** @param backAt When the runtime was done and its extensions were waited for: their time counts too. */
  over(last: Verdict, backAt: number | undefined, memorySizeMb: number): void {
    const { requestId } = this.#invocation;
    const { initDurationMs, restored, startedAt, durationMs } = this.#result;
    const now = performance.now();
    const wholeMs = last.kind === "timeout" ? this.#timeoutMs : now - startedAt;
    this.#stream.platform({ type: "end", requestId });
    this.#stream.report({
      type: "report",
      requestId,
      durationMs: backAt === undefined && last.kind !== "timeout" ? durationMs : wholeMs,
      ...this.#ending(last),
      ...this.#tracing(),
      ...(initDurationMs === undefined ? {} : { initDurationMs }),
      ...(restored === undefined ? {} : { restored }),
      ...(backAt === undefined
        ? {}
        : { extensionOverhead: { startedAt: this.#epoch(backAt), durationMs: now - backAt } }),
      memorySizeMb,
    });
  }

  #ending(verdict: Verdict) {
    const { status, errorType } = isGood(verdict)
      ? this.#result
      : judge(verdict, this.#invocation.requestId, this.#timeoutMs);
    return errorType === undefined ? { status } : { status, errorType };
  }

  #tracing() {
    const { traceHeader } = this.#invocation;
    return traceHeader === undefined ? {} : { traceHeader };
  }

  #epoch(at: number): number {
    return this.#clock.now() - (performance.now() - at);
  }
}
