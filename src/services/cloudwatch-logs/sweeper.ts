/** Removes expired events, and those of deleted groups and streams, a little at a time: other writers get their turn. */
import { every } from "../../kit/clock.ts";
import type { CloudwatchLogsDeps } from "./deps.ts";
import { expiryOf } from "./lookup.ts";
import { listRetainedGroups } from "./store.ts";
import { deleteExpiredChunks } from "./store-chunks.ts";
import { deleteOldQueries } from "./store-queries.ts";
import { listGarbage, removeGarbage } from "./store-garbage.ts";

const SWEEP_MS = 60_000;
const ROWS_PER_TRANSACTION = 500;
/** Results of Insights' queries are kept for a week, as by AWS. */
const QUERY_AGE_MS_MAX = 7 * 24 * 3_600_000;

export interface Sweeper {
  /** Resolves when there is nothing left to remove. */
  sweep(): Promise<void>;
  /** Sweeps in the background. */
  readonly sweepSoon: () => void;
  stop(): Promise<void>;
}

/** Sweeps every minute until stopped. Readers hide events from the moment they expire. */
export function startSweeper(deps: CloudwatchLogsDeps): Sweeper {
  const ending = new AbortController();
  let running: Promise<void> | undefined;
  const sweep = async () => {
    // What was deleted while a sweep was under way may have been missed by it.
    await running?.catch(() => undefined);
    running ??= sweepAll(deps, ending.signal).finally(() => (running = undefined));
    return running;
  };
  const sweepSoon = () => {
    sweep().catch((error: unknown) => deps.log.error("old log events could not be removed", { error }));
  };
  const cancel = every(deps.clock, SWEEP_MS, sweepSoon);
  return {
    sweep,
    sweepSoon,
    async stop() {
      cancel();
      ending.abort();
      await running?.catch(() => undefined);
    },
  };
}

async function sweepAll(deps: CloudwatchLogsDeps, signal: AbortSignal): Promise<void> {
  const { database, clock } = deps;
  for (const group of await listRetainedGroups(database)) {
    const before = expiryOf(group, clock.now());
    await untilDone(signal, () =>
      database.tx((tx) => deleteExpiredChunks(tx, group.group_id, before, ROWS_PER_TRANSACTION)),
    );
  }
  const queriesBefore = clock.now() - QUERY_AGE_MS_MAX;
  await untilDone(signal, () =>
    database.tx((tx) => deleteOldQueries(tx, queriesBefore, ROWS_PER_TRANSACTION)),
  );
  for (const garbage of await listGarbage(database))
    await untilDone(signal, () => database.tx((tx) => removeGarbage(tx, garbage, ROWS_PER_TRANSACTION)));
}

/** Repeats a step, which answers how many rows it removed, until it removes fewer than a full portion. */
async function untilDone(signal: AbortSignal, step: () => Promise<number>): Promise<void> {
  while (!signal.aborted && (await step()) >= ROWS_PER_TRANSACTION);
}
