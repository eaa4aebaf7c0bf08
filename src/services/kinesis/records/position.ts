/** Where reading a shard begins: the place after which the first record is read. */
import type { Reader } from "../../../store/database.ts";
import { readSequenceNumber } from "../shards/sequence-number.ts";
import type { Shard } from "../shards/shard.ts";
import type { StreamRow } from "../store.ts";
import { firstIndexSince, lastIndexOf } from "./store-chunks.ts";

export type Start =
  | { readonly at: "TRIM_HORIZON" | "LATEST" }
  /** Epoch milliseconds. */
  | { readonly at: "AT_TIMESTAMP"; readonly timestampMs: number };

/** Before the first record that a shard can have. */
export const BEFORE_ALL = 0;

export async function placeOf(
  reader: Reader,
  { stream_id }: StreamRow,
  { shardNo }: Shard,
  start: Start,
): Promise<number> {
  if (start.at === "TRIM_HORIZON") return BEFORE_ALL;
  if (start.at === "AT_TIMESTAMP") {
    const first = await firstIndexSince(reader, stream_id, shardNo, start.timestampMs);
    if (first !== undefined) return first - 1;
  }
  return lastIndexOf(reader, stream_id, shardNo);
}

/** The place of a sequence number; undefined for one that is not this shard's. */
export function placeOfNumber(shard: Shard, sequenceNumber: string): number | undefined {
  const parts = readSequenceNumber(sequenceNumber);
  const isOwn = parts?.shardNo === shard.shardNo && parts.shardCreatedSeconds === shard.createdSeconds;
  return isOwn ? parts.index : undefined;
}
