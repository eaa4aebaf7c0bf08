/** Takes events into streams, in one transaction, and tells live tails once they are durable. */
import type { Transaction } from "../../store/database.ts";
import { toChunks } from "./chunk.ts";
import type { LogEvent } from "./chunk.ts";
import { countEvents } from "./metric-filters/counter.ts";
import type { GroupPlace } from "./ingest-counts.ts";
import type { LogsState } from "./state.ts";
import { getGroup, getStream, insertGroup, insertStream } from "./store.ts";
import { appendChunks } from "./store-chunks.ts";
import { noteEvents } from "./subscriptions/outbox.ts";

/**
 * Appends events, in order of time, to an existing stream. False where it is gone. What subscription filters match is noted in the same
 * transaction, to be sent on; metric filters and live tails see the events once they are durable.
 * @param traceHeader X-Amzn-Trace-Id of who wrote them
 */
export async function appendEvents(
  state: LogsState,
  tx: Transaction,
  stream: { readonly streamId: number; readonly name: string; readonly place: GroupPlace },
  events: readonly LogEvent[],
  traceHeader?: string,
): Promise<boolean> {
  if (events.length === 0) return true;
  const ingestedAt = state.clock.now();
  const chunks = toChunks(events);
  const appended = await appendChunks(tx, stream.streamId, chunks, ingestedAt);
  if (!appended) return false;
  const { groupId, firstChunk, filtersRevision } = appended;
  tx.afterCommit(() => {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
    state.counts.add(stream.place, events.length, bytes);
  });
  if (state.tails.listensTo(groupId))
    tx.afterCommit(() => state.tails.publish(groupId, stream.name, events, ingestedAt));
  const filters = await state.filters.of(tx, groupId, filtersRevision);
  if (!filters) return true;
  const { group, metrics, subscriptions } = filters;
  if (metrics.length > 0) tx.afterCommit(() => countEvents(state.metrics, group, metrics, events));
  // Most lines are of no interest to an alarm: what matches nothing costs no note.
  const matching = subscriptions.filter(({ matches }) => events.some(({ message }) => matches(message)));
  if (matching.length > 0)
    await noteEvents(state.queue, tx, {
      group: { account: group.account, region: group.region, name: group.name },
      filters: matching.map(({ noted }) => noted),
      streamId: stream.streamId,
      stream: stream.name,
      fromChunk: firstChunk,
      toChunk: firstChunk + chunks.length - 1,
      ...(traceHeader !== undefined && { traceHeader }),
    });
  return true;
}

/** Finds a stream, making group and stream where they are missing. Answers its id. */
export async function ensureStream(
  state: LogsState,
  tx: Transaction,
  at: { account: string; region: string; group: string; stream: string },
): Promise<number> {
  const now = state.clock.now();
  const group = await getGroup(tx, at.account, at.region, at.group);
  const groupId = group?.group_id ?? newRowId(state);
  if (!group)
    await insertGroup(tx, {
      group_id: groupId,
      account: at.account,
      region: at.region,
      name: at.group,
      retention_days: null,
      tags: "{}",
      created_at: now,
      class: "STANDARD",
      filters_revision: 0,
    });
  const stream = group && (await getStream(tx, groupId, at.stream));
  return stream?.stream_id ?? (await createStream(state, tx, groupId, at.stream));
}

export async function createStream(
  state: LogsState,
  tx: Transaction,
  groupId: number,
  name: string,
): Promise<number> {
  const streamId = newRowId(state);
  await insertStream(tx, {
    stream_id: streamId,
    group_id: groupId,
    name,
    created_at: state.clock.now(),
    first_event_at: 0,
    last_event_at: 0,
    last_ingested_at: 0,
    next_chunk: 0,
    bytes: 0,
  });
  return streamId;
}

/** Never used again, unlike a counter's: 52 random bits. */
export function newRowId(state: LogsState): number {
  return Number.parseInt(state.ids.hex(13), 16);
}
