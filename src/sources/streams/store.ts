/** Checkpoints of stream mappings: one row for each shard. */
import { sql } from "../../store/database.ts";
import type { Database, Reader, Transaction } from "../../store/database.ts";
import type { Progress } from "./progress.ts";
import type { Window } from "./window.ts";

const STARTED = sql("streams.started", "SELECT started_at FROM source_streams WHERE mapping = ?");
const START = sql(
  "streams.start",
  "INSERT INTO source_streams (mapping, started_at) VALUES (?, ?) ON CONFLICT (mapping) DO NOTHING",
);
const FINISHED = sql(
  "streams.finished",
  "SELECT shard, starting FROM source_shards WHERE mapping = ? AND finished = 1",
);
const OWN = sql(
  "streams.own",
  `INSERT INTO source_shards (mapping, shard, starting, progress, open_windows, finished, epoch) VALUES (?, ?, ?, ?, '[]', 0, ?)
   ON CONFLICT (mapping, shard) DO UPDATE SET epoch = excluded.epoch WHERE source_shards.epoch <= excluded.epoch
   RETURNING starting, progress, open_windows, finished`,
);
const BEGIN_ANEW = sql(
  "streams.begin-anew",
  "UPDATE source_shards SET starting = ?, progress = ?, open_windows = '[]', finished = 0 WHERE mapping = ? AND shard = ?",
);
const SAVE = sql(
  "streams.save",
  "UPDATE source_shards SET progress = ?, open_windows = ?, finished = ? WHERE mapping = ? AND shard = ? AND epoch = ?",
);
const DROP = sql(
  "streams.drop",
  "DELETE FROM source_shards WHERE mapping = ? AND shard = ? AND finished = 1",
);
const FORGET_SHARDS = sql("streams.forget-shards", "DELETE FROM source_shards WHERE mapping = ?");
const FORGET = sql("streams.forget", "DELETE FROM source_streams WHERE mapping = ?");

export interface SavedShard {
  readonly progress: Progress;
  /** Those that are open. */
  readonly windows: readonly Window[];
  readonly isFinished: boolean;
}

/** When a mapping first ran, in epoch milliseconds: LATEST means all that came since. */
export function startedAt(database: Database, mapping: string, now: number): Promise<number> {
  return database.tx(async (tx) => {
    await tx.run(START, mapping, now);
    const row = await tx.get<{ started_at: number }>(STARTED, mapping);
    return row?.started_at ?? now;
  });
}

/** The shards that a mapping is done with, and the sequence numbers that they began with. */
export async function finishedShards(reader: Reader, mapping: string): Promise<Map<string, string>> {
  const rows = await reader.all<{ shard: string; starting: string }>(FINISHED, mapping);
  return new Map(rows.map(({ shard, starting }) => [shard, starting]));
}

/**
 * Takes a shard over, in the state in which its last owner left it. Undefined where a newer owner has it.
 * @param starting The shard's first sequence number: where it is another, the stream was made anew, and the shard is a new one.
 */
export function ownShard(
  database: Database,
  { mapping, shard, epoch }: ShardId,
  starting: string,
  start: Progress,
): Promise<SavedShard | undefined> {
  return database.tx(async (tx) => {
    const first = JSON.stringify(start);
    const row = await tx.get<ShardRow>(OWN, mapping, shard, starting, first, epoch);
    if (!row) return undefined;
    if (row.starting !== starting) {
      await tx.run(BEGIN_ANEW, starting, first, mapping, shard);
      return { progress: start, windows: [], isFinished: false };
    }
    return {
      progress: JSON.parse(row.progress) as Progress,
      windows: JSON.parse(row.open_windows) as Window[],
      isFinished: row.finished === 1,
    };
  });
}

interface ShardRow {
  readonly starting: string;
  readonly progress: string;
  readonly open_windows: string;
  readonly finished: number;
}

/** One owner's time with a shard. */
export interface ShardId {
  readonly mapping: string;
  readonly shard: string;
  /** Of the lease; the row takes writes of no older one. */
  readonly epoch: number;
}

/** False where the mapping is gone, or another owner has the shard: then nothing may be written. */
export async function saveShard(
  tx: Transaction,
  { mapping, shard, epoch }: ShardId,
  saved: SavedShard,
): Promise<boolean> {
  const { progress, windows, isFinished } = saved;
  const changed = await tx.run(
    SAVE,
    JSON.stringify(progress),
    JSON.stringify(windows),
    isFinished ? 1 : 0,
    mapping,
    shard,
    epoch,
  );
  return changed > 0;
}

/** Forgets shards that are finished and no longer in the stream. */
export async function dropShards(
  database: Database,
  mapping: string,
  shards: readonly string[],
): Promise<void> {
  if (shards.length === 0) return;
  await database.tx(async (tx) => {
    for (const shard of shards) await tx.run(DROP, mapping, shard);
  });
}

/** Forgets all of a mapping. */
export async function forgetMapping(tx: Transaction, mapping: string): Promise<void> {
  await tx.run(FORGET_SHARDS, mapping);
  await tx.run(FORGET, mapping);
}
