/** Removes expired events, and those of deleted groups and streams, a little at a time: other writers get their turn. */
import { BackgroundWork } from "../../kit/background-work.ts";
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

/** Sweeps every minute until stopped, and when it is asked to. Readers hide events from the moment they expire. */
export function startSweeper(deps: CloudwatchLogsDeps): BackgroundWork {
  return new BackgroundWork({
    work: (signal) => sweepAll(deps, signal),
    failed: (error) => deps.log.error("old log events could not be removed", { error }),
  }).every(deps.clock, SWEEP_MS);
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
