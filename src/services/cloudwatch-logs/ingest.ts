/** Takes events into streams, in one transaction, and tells live tails once they are durable. */
import type { Transaction } from "../../store/database.ts";
import { toChunks } from "./chunk.ts";
import type { LogEvent } from "./chunk.ts";
import type { LogsState } from "./state.ts";
import { getGroup, getStream, insertGroup, insertStream } from "./store.ts";
import { appendChunks } from "./store-chunks.ts";

/** Appends events, in order of time, to an existing stream. False where it is gone. */
export async function appendEvents(
  state: LogsState,
  tx: Transaction,
  stream: { readonly streamId: number; readonly name: string },
  events: readonly LogEvent[],
): Promise<boolean> {
  if (events.length === 0) return true;
  const ingestedAt = state.clock.now();
  const appended = await appendChunks(tx, stream.streamId, toChunks(events), ingestedAt);
  if (!appended) return false;
  const { groupId } = appended;
  if (state.tails.listensTo(groupId))
    tx.afterCommit(() => state.tails.publish(groupId, stream.name, events, ingestedAt));
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
