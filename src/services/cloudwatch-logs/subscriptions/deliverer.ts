/** Sends on what subscription filters match: reads the notes that were written with the events, and hands over in one transaction with them. */
import { createHash } from "node:crypto";
import type { Job } from "../../../store/queue.ts";
import { sleep } from "../../../kit/clock.ts";
import { decodeEvents } from "../chunk.ts";
import { compileValuePattern } from "../filter-pattern/index.ts";
import type { Parcel } from "../../../aws/parcel.ts";
import { toDigits } from "../position.ts";
import type { LogsState } from "../state.ts";
import { chunksByNumber } from "../store-chunks.ts";
import { countErrors, countForwarded, courierMetrics } from "./delivery-metrics.ts";
import { destinationKind, senderFor } from "./destination.ts";
import { packEvents } from "./message.ts";
import type { SentEvent } from "./message.ts";
import { SUBSCRIPTIONS_TOPIC, furthestTrace, readNote } from "./outbox.ts";
import type { Note, NotedFilter } from "./outbox.ts";

/** Notes that are looked at together. */
const CLAIM_MAX = 100;
/** Notes of one stream that go together: the events of all of them, a megabyte each at most, are in memory then. */
const TOGETHER_MAX = 16;
/** A claim that its server died with is made again after this. */
const LEASE_MS = 30_000;
/**
 * Between one turn and the next, in milliseconds, but for the first after a rest: what comes meanwhile goes together, a message for each
 * stream.
 */
const PACE_MS = 500;
/** After a failure of ours the notes are looked at again. */
const RETRY_MS = 5_000;
/** What a destination cannot take now is tried again for a day, as by AWS. */
const RETRY = { attemptsMax: 10_000, ageMsMax: 24 * 3_600_000 };

interface Claimed {
  readonly job: Job;
  readonly note: Note;
}

/** Delivers until stopped. */
export function startDeliverer(state: LogsState): { stop(): Promise<void> } {
  const ending = new AbortController();
  const { signal } = ending;
  const turn = async () => {
    const jobs = await state.queue.claim(SUBSCRIPTIONS_TOPIC, CLAIM_MAX, LEASE_MS);
    for (const claimed of byStream(jobs)) await deliverOr(state, claimed);
    if (jobs.length === 0) await state.queue.wait(SUBSCRIPTIONS_TOPIC, signal);
    else if (jobs.length < CLAIM_MAX) await sleep(state.clock, PACE_MS, signal);
  };
  const run = async () => {
    while (!signal.aborted)
      try {
        await turn();
      } catch (error) {
        if (signal.aborted) return;
        state.log.error("The notes of subscription filters could not be read", { error });
        await sleep(state.clock, RETRY_MS, signal);
      }
  };
  const running = run();
  return {
    async stop() {
      ending.abort();
      await running;
    },
  };
}

function byStream(jobs: readonly Job[]): Claimed[][] {
  const streams = new Map<number, Claimed[]>();
  for (const job of jobs) {
    const note = readNote(job.payload);
    const list = streams.get(note.streamId) ?? [];
    streams.set(note.streamId, list);
    list.push({ job, note });
  }
  return [...streams.values()].flatMap((list) => {
    list.sort((a, b) => a.note.fromChunk - b.note.fromChunk);
    const portions = Math.ceil(list.length / TOGETHER_MAX);
    return Array.from({ length: portions }, (_, n) => list.slice(n * TOGETHER_MAX, (n + 1) * TOGETHER_MAX));
  });
}

async function deliverOr(state: LogsState, claimed: readonly Claimed[]): Promise<void> {
  try {
    await deliver(state, claimed);
  } catch (error) {
    state.log.error("log events could not be handed to a subscription's destination; they are tried again", {
      error,
    });
    for (const { job } of claimed) {
      const later = state.clock.now() + RETRY_MS;
      await state.queue.retryAt(job, later, String(error)).catch(() => false);
    }
  }
}

/** The messages of one stream's notes, to every filter. */
async function deliver(state: LogsState, claimed: readonly Claimed[]): Promise<void> {
  const sent: Sent[] = [];
  for (const { filter, notes } of byFilter(claimed)) sent.push(...(await pack(state, filter, notes)));
  const traceHeader = furthestTrace(claimed.map(({ note }) => note.traceHeader));
  await state.database.tx(async (tx) => {
    for (const { parcel, count } of sent) {
      const handed = await state.courier.hand(tx, {
        ...parcel,
        ...(traceHeader !== undefined && { traceHeader }),
      });
      if (handed !== "refused") tx.afterCommit(count);
    }
    for (const { job } of claimed)
      if (!(await state.queue.acknowledge(job, tx))) throw new Error(`the claim of ${job.id} was lost`);
  });
}

/** A filter that was changed between two notes counts as two. */
function byFilter(claimed: readonly Claimed[]) {
  const filters = new Map<string, { readonly filter: NotedFilter; readonly notes: Note[] }>();
  for (const { note } of claimed)
    for (const filter of note.filters) {
      const key = JSON.stringify(filter);
      const known = filters.get(key) ?? { filter, notes: [] };
      filters.set(key, known);
      known.notes.push(note);
    }
  return filters.values();
}

interface Sent {
  readonly parcel: Parcel;
  readonly count: () => void;
}

async function pack(state: LogsState, filter: NotedFilter, notes: readonly Note[]): Promise<Sent[]> {
  const pattern = compileValuePattern(filter.pattern);
  const events: SentEvent[] = [];
  for (const note of notes)
    for (const event of await eventsOf(state, note)) {
      if (!pattern.matches(event.message)) continue;
      const extractedFields = pattern.fields(event.message);
      events.push({ ...event, ...(extractedFields && { extractedFields }) });
    }
  const note = notes[0];
  // The events of a group that was deleted meanwhile are gone.
  if (events.length === 0 || !note) return [];
  const { group, stream: logStream, streamId } = note;
  const { account: owner, name: logGroup } = group;
  const { messages, tooLarge } = packEvents(
    destinationKind(filter.destinationArn),
    { owner, logGroup, logStream, filterName: filter.name },
    events,
  );
  if (tooLarge.length > 0) {
    countErrors(state, group, filter, tooLarge.length);
    const about = { logGroup, filter: filter.name, ids: tooLarge.map(({ id }) => id) };
    state.log.warn("Log events are too large for a subscription's destination", about);
  }
  const sender = await senderFor(state, filter.destinationArn, group);
  return messages.map((message) => {
    const id = `${streamId}/${filter.name}/${message.events[0]?.id ?? ""}`;
    return {
      parcel: {
        id,
        target: targetOf(filter, logStream, id),
        sender,
        body: message.body,
        retry: RETRY,
        metrics: courierMetrics(group, filter),
      },
      count: () => countForwarded(state, group, filter, message),
    };
  });
}

async function eventsOf(state: LogsState, note: Note): Promise<SentEvent[]> {
  const chunks = await chunksByNumber(state.database, note.streamId, note.fromChunk, note.toChunk);
  return chunks.flatMap((chunk) =>
    decodeEvents(chunk.events).map(({ timestamp, message }, index) => ({
      id: toDigits({ at: timestamp, streamId: chunk.stream_id, chunkNo: chunk.chunk_no, index }),
      timestamp,
      message,
    })),
  );
}

function targetOf({ destinationArn: arn, roleArn, distribution }: NotedFilter, stream: string, id: string) {
  if (destinationKind(arn) === "Lambda") return { arn };
  return {
    arn,
    ...(roleArn !== null && { roleArn }),
    // One stream's events keep their order in one shard, unless they are to be spread.
    kinesis: {
      partitionKey: createHash("md5")
        .update(distribution === "Random" ? id : stream)
        .digest("hex"),
    },
  };
}
