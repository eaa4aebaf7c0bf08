/** Reads a shard's records in order, from a place on. */
import type { Clock } from "../../../kit/clock.ts";
import type { Database } from "../../../store/database.ts";
import type { Shard } from "../shards/shard.ts";
import { horizonOf } from "../streams.ts";
import type { StreamRow } from "../store.ts";
import { recordBytes, recordsOf } from "./chunk.ts";
import type { StoredRecord } from "./chunk.ts";
import { chunksAfter } from "./store-chunks.ts";

export interface ReadLimits {
  readonly records: number;
  /** Of keys and data; one record is read however large it is. */
  readonly bytes: number;
}

export interface Read {
  readonly records: readonly StoredRecord[];
  /** Keys and data. */
  readonly bytes: number;
  /** The place of the last record read, or where the reading began. */
  readonly last: number;
  /** Whether there was nothing more. */
  readonly isAtTip: boolean;
  /** How far behind the newest record the last one read is; 0 at the tip. */
  readonly millisBehindLatest: number;
}

interface ReadDeps {
  readonly clock: Clock;
  readonly database: Database;
}

/** A chunk has a quarter of a MiB, unless it is one large record. */
const CHUNKS_PER_PAGE = 16;

/** @param after The place after which to begin. */
export async function readRecords(
  { clock, database }: ReadDeps,
  stream: StreamRow,
  { shardNo }: Shard,
  after: number,
  limits: ReadLimits,
): Promise<Read> {
  const since = horizonOf(stream, clock.now());
  const records: StoredRecord[] = [];
  let bytes = 0;
  let last = after;
  const end = (isAtTip: boolean) => {
    const newest = records.at(-1)?.arrivedAt ?? since;
    const millisBehindLatest = isAtTip ? 0 : Math.max(0, clock.now() - newest);
    return { records, bytes, last, isAtTip, millisBehindLatest };
  };
  for (;;) {
    const chunks = await chunksAfter(database, stream.stream_id, shardNo, last, since, CHUNKS_PER_PAGE);
    for (const chunk of chunks)
      for (const record of recordsOf(chunk, last)) {
        const size = recordBytes(record);
        const isFull = records.length >= limits.records || bytes + size > limits.bytes;
        if (isFull && records.length > 0) return end(false);
        records.push(record);
        bytes += size;
        last = record.index;
      }
    if (chunks.length < CHUNKS_PER_PAGE) return end(true);
  }
}
