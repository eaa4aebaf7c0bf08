/** Numbers of records, shards and of what writes replaced: each higher than all that were given in transactions that committed before. */
import type { Clock } from "../../../kit/clock.ts";
import type { Database, Transaction } from "../../../store/database.ts";
import { highestHistory } from "../store-history.ts";
import { drawSequences, highestSequence } from "../store-streams.ts";

export interface SequenceNumbers {
  /** To be asked for once the open shard is held. Numbers of a transaction that fails are not given again. */
  take(transaction: Transaction, count: number): Promise<number[]>;
}

/** Numbers a millisecond, for those that start from the time. */
const PER_MS = 1000;

/** The numbers of this database: several servers draw them from PostgreSQL, SQLite's one server counts. */
export async function openSequence(database: Database, clock: Clock): Promise<SequenceNumbers> {
  if (database.engine === "postgres") return { take: drawSequences };
  // The records that had the highest numbers may have been removed: the time is beyond these.
  let last = Math.max(await highestSequence(database), await highestHistory(database));
  return {
    async take(_transaction, count) {
      last = Math.max(last + 1, clock.now() * PER_MS);
      const first = last;
      last += count - 1;
      return Array.from({ length: count }, (_, i) => first + i);
    },
  };
}
