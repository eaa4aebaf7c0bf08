/** Writes functions' log lines: what arrives within a moment of the last transaction goes into the next one together. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Transaction } from "../../store/database.ts";
import type { LogEvent } from "./chunk.ts";
import { appendEvents, ensureStream } from "./ingest.ts";
import { splitMessage } from "./limits.ts";
import type { LogsState } from "./state.ts";
import { getGroup } from "./store.ts";
import { furthestTrace } from "./subscriptions/outbox.ts";

export interface FunctionLogWriter {
  /**
   * Creates group and stream when missing and appends; resolves once the lines are durable.
   * @param traceHeader X-Amzn-Trace-Id of the invocation that wrote them
   */
  append(
    account: string,
    region: string,
    group: string,
    stream: string,
    lines: readonly LogEvent[],
    traceHeader?: string,
  ): Promise<void>;
  /** Whether the group is there, for callers that may write to it and not create it. */
  groupExists(account: string, region: string, group: string): Promise<boolean>;
}

interface Pending {
  readonly key: string;
  readonly at: { account: string; region: string; group: string; stream: string };
  readonly events: LogEvent[];
  traceHeader: string | undefined;
  readonly done: PromiseWithResolvers<void>;
}

/** Streams written in one transaction; the rest waits for the next. */
const STREAMS_PER_TRANSACTION_MAX = 500;
const KNOWN_STREAMS_MAX = 20_000;
/**
 * Transactions are at least this far apart, in milliseconds, but for the first after a rest: every running environment has lines
 * all the time, and each transaction costs a sync of the disk.
 */
const PACE_MS = 100;
/** Where more events wait, they are written at once. */
const WAITING_EVENTS_MAX = 2_000;

export function createWriter(state: LogsState): FunctionLogWriter & { stop(): Promise<void> } {
  const waiting = new Map<string, Pending>();
  const known = new Map<string, number>();
  let running: Promise<void> | undefined;
  let waitingEvents = 0;
  /** Ends the pause before the next transaction. */
  let hurry = new AbortController();
  let isStopping = false;

  const pause = async () => {
    hurry = new AbortController();
    if (isStopping || waitingEvents > WAITING_EVENTS_MAX) return;
    await sleep(PACE_MS, undefined, { signal: hurry.signal }).catch(() => {});
  };

  const drain = async () => {
    while (waiting.size > 0) {
      const batch = [...waiting.values()].slice(0, STREAMS_PER_TRANSACTION_MAX);
      for (const one of batch) {
        waiting.delete(one.key);
        waitingEvents -= one.events.length;
      }
      try {
        await state.database.tx(async (tx) => {
          for (const one of batch) await appendPending(state, tx, one, known);
        });
        for (const one of batch) one.done.resolve();
      } catch (error) {
        for (const one of batch) one.done.reject(error);
      }
      await pause();
    }
    running = undefined;
  };

  return {
    append(account, region, group, stream, lines, traceHeader) {
      const events = lines.flatMap(splitMessage);
      if (events.length === 0) return Promise.resolve();
      const key = JSON.stringify([account, region, group, stream]);
      const pending: Pending = waiting.get(key) ?? {
        key,
        at: { account, region, group, stream },
        events: [],
        traceHeader,
        done: Promise.withResolvers<void>(),
      };
      waiting.set(key, pending);
      pending.events.push(...events);
      if (traceHeader !== pending.traceHeader)
        pending.traceHeader = furthestTrace([pending.traceHeader, traceHeader]);
      sortByTime(pending.events);
      waitingEvents += events.length;
      if (waitingEvents > WAITING_EVENTS_MAX) hurry.abort();
      running ??= drain();
      return pending.done.promise;
    },
    async groupExists(account, region, group) {
      return (await getGroup(state.database, account, region, group)) !== undefined;
    },
    async stop() {
      isStopping = true;
      hurry.abort();
      await running;
    },
  };
}

async function appendPending(
  state: LogsState,
  tx: Transaction,
  { key, at, events, traceHeader }: Pending,
  known: Map<string, number>,
): Promise<void> {
  const append = (streamId: number) =>
    appendEvents(state, tx, { streamId, name: at.stream, place: at }, events, traceHeader);
  const id = known.get(key);
  if (id !== undefined && (await append(id))) return;
  const streamId = await ensureStream(state, tx, at);
  await append(streamId);
  tx.afterCommit(() => remember(known, key, streamId));
}

function remember(known: Map<string, number>, key: string, streamId: number): void {
  if (known.size >= KNOWN_STREAMS_MAX) known.clear();
  known.set(key, streamId);
}

/** Lines nearly always come in order; the sort is stable, so lines of one moment keep theirs. */
function sortByTime(events: LogEvent[]): void {
  const ordered = events.every(
    (event, index) => index === 0 || (events[index - 1]?.timestamp ?? 0) <= event.timestamp,
  );
  if (!ordered) events.sort((a, b) => a.timestamp - b.timestamp);
}
