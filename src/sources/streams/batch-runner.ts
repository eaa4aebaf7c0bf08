/** Brings one batch to its end: invokes, retries, splits or discards it, and has each step of the checkpoint made durable. */
import { sleep } from "../../kit/clock.ts";
import type { Transaction } from "../../store/database.ts";
import { BATCH_BYTES_MAX, failureObjectKey } from "../source.ts";
import type { InvokeOutcome, SourceContext } from "../source.ts";
import { discardedRecord } from "./discarded.ts";
import type { Condition } from "./discarded.ts";
import type { EventShape } from "./events.ts";
import { decide, tooOld } from "./failure.ts";
import type { Attempts, Result } from "./failure.ts";
import type { StreamRecord } from "./ports.ts";
import { readAnswer } from "./response.ts";
import type { StreamSettings } from "./settings.ts";
import { EMPTY_STATE, withState, windowMembers } from "./window.ts";
import type { Window } from "./window.ts";

/** A record that waits, as it stands in the event. */
export interface Item<R extends StreamRecord> {
  readonly record: R;
  readonly json: string;
  readonly bytes: number;
  /** Epoch milliseconds. */
  readonly readAt: number;
}

type OpenWindow = Pick<Window, "start" | "end" | "state">;

export interface Batch<R extends StreamRecord> {
  readonly items: readonly Item<R>[];
  readonly window: OpenWindow | Window | undefined;
}

export interface RunnerDeps {
  readonly context: SourceContext;
  readonly signal: AbortSignal;
  readonly settings: StreamSettings;
  readonly batchInfo: EventShape<StreamRecord>["batchInfo"];
  readonly mappingUuid: string;
  readonly functionArn: string;
  readonly shardId: string;
  readonly eventSourceArn: string;
  readonly streamArn: string;
  /** Records are kept for so long, in milliseconds. */
  retentionMs(): number;
  /** Makes durable that records of a lane are done, how a window is then, and what else the transaction does. */
  commit(
    done: { readonly lane: number; readonly sequenceNumbers: readonly string[] },
    change: { readonly slot: string; readonly window: Window | undefined } | undefined,
    extra: ((tx: Transaction) => Promise<void>) | undefined,
  ): Promise<void>;
}

/** What is left of a batch, and what it has gone through. */
interface Work<R extends StreamRecord> {
  readonly items: readonly Item<R>[];
  readonly failures: number;
  readonly delays: number;
  readonly invokes: number;
  /** Of the last run; undefined where it never ran. */
  readonly last?: LastRun | undefined;
}

interface LastRun {
  readonly requestId: string;
  readonly executedVersion: string;
  readonly isError: boolean;
}

interface Attempt {
  readonly result: Result;
  readonly state?: string | undefined;
  readonly last?: LastRun | undefined;
}

const HEAD = `{"Records":[`;
const FRAME_BYTES = HEAD.length + 2;
/** The other members of a window's event, its state aside. */
const WINDOW_BYTES = 1_024;

export class BatchRunner<R extends StreamRecord> {
  readonly #deps: RunnerDeps;
  readonly #lane: number;
  /** Of the lane's windows. */
  readonly #slot: string;

  constructor(deps: RunnerDeps, lane: number, slot: string) {
    this.#deps = deps;
    this.#lane = lane;
    this.#slot = slot;
  }

  /** What an event has room for, in bytes of the records' JSON. */
  recordBytesMax(window: OpenWindow | undefined): number {
    return BATCH_BYTES_MAX - FRAME_BYTES - (window ? WINDOW_BYTES + Buffer.byteLength(window.state) : 0);
  }

  /** Resolves when all of it is done or discarded, or the signal has aborted. Answers the window that is open then. */
  async run({ items, window: open }: Batch<R>): Promise<Window | undefined> {
    const { signal } = this.#deps;
    let window = open;
    const stack: Work<R>[] = [{ items, failures: 0, delays: 0, invokes: 0 }];
    for (let work = stack.pop(); work && !signal.aborted; work = stack.pop()) {
      window = await this.#step(work, window, stack);
      // What is left of the batch is not of a window that has ended.
      if (stack.length > 0 && isSaved(window) && window.isTerminatedEarly)
        window = (await this.close(window)) ?? { start: window.start, end: window.end, state: EMPTY_STATE };
    }
    return isSaved(window) ? window : undefined;
  }

  /** One attempt at what is on top; what is left goes back to the stack. */
  async #step(
    work: Work<R>,
    window: OpenWindow | Window | undefined,
    stack: Work<R>[],
  ): Promise<OpenWindow | Window | undefined> {
    const { context, settings } = this.#deps;
    const arrivals = work.items.map(({ record }) => record.arrivalMs);
    const old = tooOld(arrivals, this.#ageMsMax(), context.clock.now());
    if (old > 0) {
      if (old < work.items.length)
        stack.push({ ...work, items: work.items.slice(old), failures: 0, delays: 0 });
      await this.#discard({ ...work, items: work.items.slice(0, old) }, window, "RecordAgeExceeded");
      return window;
    }
    const attempt = await this.#attempt(work, window);
    const isOk = attempt.result.kind === "done" || attempt.result.kind === "done until";
    // What did not work because the server or the mapping stops is no attempt.
    if (!isOk && this.#deps.signal.aborted) return window;
    const tried: Work<R> = {
      ...work,
      invokes: work.invokes + (attempt.last ? 1 : 0),
      last: attempt.last ?? work.last,
    };
    const attempts: Attempts = { ...tried, size: tried.items.length };
    const decision = decide(attempts, attempt.result, settings);
    if (decision.kind === "split") {
      const part = (from: number, to?: number): Work<R> => ({ ...tried, items: tried.items.slice(from, to) });
      stack.push(part(decision.at), part(0, decision.at));
      return window;
    }
    const done = tried.items.slice(0, decision.done);
    const rest = tried.items.slice(decision.done);
    const after = this.#windowAfter(window, attempt, done);
    if (done.length > 0) await this.#commit(done, after);
    if (decision.kind === "again") {
      const isNew = decision.done > 0;
      const { failures, delays } = decision.rest;
      stack.push({ ...tried, items: rest, failures, delays, ...(isNew && { invokes: 1 }) });
      await this.#rest(decision.waitMs, rest[0]?.record);
    }
    if (decision.kind === "discard") {
      await this.#discard({ ...tried, items: rest }, after, "RetryAttemptsExhausted");
    }
    return after;
  }

  /** Ends a window with an invocation without records. Answers the window where it could not be ended yet. */
  async close(window: Window): Promise<Window | undefined> {
    const { context, settings, signal } = this.#deps;
    let attempts: Attempts = { size: 0, failures: 0, delays: 0 };
    for (let invokes = 0, last: LastRun | undefined; !signal.aborted;) {
      const isOld = context.clock.now() - window.lastArrivalMs > this.#ageMsMax();
      if (isOld) return this.#discardWindow(window, "RecordAgeExceeded", { invokes, last });
      const payload = this.#event([], window, true);
      const attempt = await this.#invoke(payload, [], false);
      if (attempt.result.kind !== "done" && signal.aborted) return window;
      const decision = decide(attempts, attempt.result, { ...settings, bisects: false });
      if (attempt.last) invokes++;
      last = attempt.last ?? last;
      if (decision.kind === "advance") {
        await this.#commitEnd(window);
        return undefined;
      }
      if (decision.kind !== "again")
        return this.#discardWindow(window, "RetryAttemptsExhausted", { invokes, last });
      attempts = decision.rest;
      await this.#rest(decision.waitMs, { arrivalMs: window.lastArrivalMs });
    }
    return window;
  }

  async #attempt(work: Work<R>, window: OpenWindow | undefined): Promise<Attempt> {
    const payload = this.#event(work.items, window, false);
    if (payload.length > BATCH_BYTES_MAX) return { result: { kind: "too large" } };
    const { context } = this.#deps;
    const attempt = await this.#invoke(payload, work.items, window !== undefined);
    const last = work.items.at(-1);
    if (last) context.count("IteratorAge", Math.max(0, context.clock.now() - last.record.arrivalMs));
    return attempt;
  }

  async #invoke(payload: Buffer, items: readonly Item<R>[], needsState: boolean): Promise<Attempt> {
    const { context, settings } = this.#deps;
    const outcome = await context.invoke(payload, items.length);
    if (outcome.kind === "throttled" || outcome.kind === "failed") {
      context.processed(`PROBLEM: ${reasonOf(outcome)}`);
      return { result: { kind: "not run" } };
    }
    const { requestId, executedVersion } = outcome;
    const isError = outcome.kind === "function-error";
    const last = { requestId, executedVersion, isError };
    if (isError) {
      context.processed("PROBLEM: Function call failed");
      return { result: { kind: "failed" }, last };
    }
    const { result, state } = readAnswer(outcome.payload, {
      sequenceNumbers: items.map(({ record }) => record.sequenceNumber),
      reportsItemFailures: settings.reportsItemFailures && items.length > 0,
      needsState,
    });
    context.processed(result.kind === "done" ? "OK" : "PROBLEM: Function call failed");
    return { result, state, last };
  }

  #event(items: readonly Item<R>[], window: OpenWindow | Window | undefined, isFinal: boolean): Buffer {
    const records = items.map(({ json }) => json).join(",");
    const isTerminatedEarly = isSaved(window) && window.isTerminatedEarly;
    const members = window ? windowMembers(window, this.#deps, { isFinal, isTerminatedEarly }) : "";
    return Buffer.from(`${HEAD}${records}]${members}}`);
  }

  #windowAfter(
    window: OpenWindow | Window | undefined,
    { state }: Attempt,
    done: readonly Item<R>[],
  ): OpenWindow | Window | undefined {
    const last = done.at(-1);
    if (!window || state === undefined || !last) return window;
    return withState(window, this.#slot, state, last.record);
  }

  #commit(
    items: readonly Item<R>[],
    window: OpenWindow | Window | undefined,
    extra?: (tx: Transaction) => Promise<void>,
  ): Promise<void> {
    const kept = isSaved(window) ? window : undefined;
    const sequenceNumbers = items.map(({ record }) => record.sequenceNumber);
    const change = window && { slot: this.#slot, window: kept };
    return this.#deps.commit({ lane: this.#lane, sequenceNumbers }, change, extra);
  }

  #commitEnd({ slot }: Window, extra?: (tx: Transaction) => Promise<void>): Promise<void> {
    return this.#deps.commit({ lane: this.#lane, sequenceNumbers: [] }, { slot, window: undefined }, extra);
  }

  /** The batch goes to the destination, if there is one, in the transaction that lets the checkpoint pass it. */
  async #discard(
    work: Work<R>,
    window: OpenWindow | Window | undefined,
    condition: Condition,
  ): Promise<void> {
    const [first, last] = [work.items[0], work.items.at(-1)];
    if (!first || !last) return;
    const batch = { first: first.record, last: last.record, batchSize: work.items.length };
    const payload = () => this.#event(work.items, window, false);
    await this.#commit(work.items, window, this.#failureOf(batch, condition, work, payload));
  }

  /** The final invocation of a window failed for good: its state is given up. */
  async #discardWindow(
    window: Window,
    condition: Condition,
    work: Pick<Work<R>, "invokes" | "last">,
  ): Promise<undefined> {
    const record = { sequenceNumber: window.lastSequenceNumber, arrivalMs: window.lastArrivalMs };
    const batch = { first: record, last: record, batchSize: 0 };
    const payload = () => this.#event([], window, true);
    await this.#commitEnd(window, this.#failureOf(batch, condition, work, payload));
    return undefined;
  }

  #failureOf(
    batch: { first: StreamRecord; last: StreamRecord; batchSize: number },
    condition: Condition,
    { invokes, last }: Pick<Work<R>, "invokes" | "last">,
    payload: () => Buffer,
  ): ((tx: Transaction) => Promise<void>) | undefined {
    const { context, shardId, functionArn, streamArn, batchInfo, mappingUuid } = this.#deps;
    context.count("DroppedEventCount", batch.batchSize);
    context.log.warn("Records of a stream are discarded", {
      mapping: mappingUuid,
      function: functionArn,
      shardId,
      condition,
      records: batch.batchSize,
      first: batch.first.sequenceNumber,
    });
    if (context.failureDestination === undefined) return undefined;
    const at = context.clock.now();
    const record = discardedRecord(
      {
        ...batch,
        condition,
        functionArn,
        shardId,
        streamArn,
        batchInfo,
        invokes,
        at,
        requestId: last?.requestId ?? context.ids.uuid(),
        response: last,
      },
      context.failureDestination === "s3" ? payload().toString() : undefined,
    );
    const objectKey = failureObjectKey(mappingUuid, shardId, at, context.ids.uuid());
    return (tx) => context.onFailure(tx, { record, objectKey, events: batch.batchSize });
  }

  /** The pause before the next attempt: not longer than until the first record is too old for one. */
  async #rest(waitMs: number, first: Pick<StreamRecord, "arrivalMs"> | undefined): Promise<void> {
    const { clock } = this.#deps.context;
    const left = (first?.arrivalMs ?? 0) + this.#ageMsMax() + 1 - clock.now();
    await sleep(clock, Math.max(0, Math.min(waitMs, left)), this.#deps.signal);
  }

  #ageMsMax(): number {
    return Math.min(this.#deps.settings.recordAgeMs, this.#deps.retentionMs());
  }
}

/** Whether the function has answered in the window: then it has a state to keep. */
function isSaved(window: OpenWindow | Window | undefined): window is Window {
  return window !== undefined && "slot" in window;
}

function reasonOf(outcome: Extract<InvokeOutcome, { kind: "throttled" | "failed" }>): string {
  return outcome.kind === "throttled" ? "Function call was throttled" : outcome.message;
}
