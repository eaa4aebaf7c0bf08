/** What the durable queue has to do, over all topics: for a clock that is moved, so that it does each thing in its time. */
import { sleep, systemClock } from "../../kit/clock.ts";
import type { Clock } from "../../kit/clock.ts";
import { sql } from "../database.ts";
import type { Database } from "../database.ts";

/** How often it looks, in milliseconds of the machine. */
const LOOK_MS = 5;

const OUTSTANDING = sql(
  "queue.outstanding",
  `SELECT (SELECT count(*) FROM queue_job WHERE state = 'claimed' OR (state = 'waiting' AND due_at <= ?)) AS jobs,
     (SELECT count(*) FROM queue_batch WHERE due_at <= ?) AS batches,
     (SELECT min(due_at) FROM queue_job WHERE state = 'waiting' AND due_at > ?) AS next`,
);

interface Row {
  readonly jobs: number;
  readonly batches: number;
  readonly next: number | null;
}

/**
 * Waits until nothing is due and nothing is under way, or until its patience ends, in milliseconds of the machine.
 * @returns how much patience is left, and when the next job is due (epoch milliseconds)
 */
export async function untilIdle(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  patienceMs: number,
): Promise<{ readonly patienceMs: number; readonly next: number | undefined }> {
  const until = systemClock.now() + patienceMs;
  for (;;) {
    const now = clock.now();
    const row = await database.get<Row>(OUTSTANDING, now, now, now);
    const isIdle = row === undefined || row.jobs + row.batches === 0;
    const left = until - systemClock.now();
    if (isIdle || left <= 0) return { patienceMs: Math.max(0, left), next: row?.next ?? undefined };
    await sleep(systemClock, LOOK_MS);
  }
}
