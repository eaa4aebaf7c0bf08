/** All SQL of the queue. */
import { sql } from "../database.ts";

export const INSERT = sql(
  "queue.insert",
  `INSERT INTO queue_job (topic, id, job_group, payload, state, due_at, tie, attempts, enqueued_at, receipt, reason)
   VALUES (?, ?, ?, ?, 'waiting', ?, ?, 0, ?, '', '')
   ON CONFLICT (topic, id) DO NOTHING`,
);

export const INSERT_BATCH = sql(
  "queue.insert-batch",
  "INSERT INTO queue_batch (topic, due_at, tie, instance, jobs, content) VALUES (?, ?, ?, ?, ?, ?)",
);

const dueBatchesText = (locking: string) => `
   SELECT due_at, tie, instance, jobs FROM queue_batch WHERE topic = ? AND due_at <= ?
   ORDER BY due_at, tie, instance LIMIT ? ${locking}`;

/** Consumers on other machines pass over those that one of them is just opening. */
export const DUE_BATCHES = {
  sqlite: sql("queue.due-batches-sqlite", dueBatchesText("")),
  postgres: sql("queue.due-batches-postgres", dueBatchesText("FOR UPDATE SKIP LOCKED")),
} as const;

export const TAKE_BATCH = sql(
  "queue.take-batch",
  "DELETE FROM queue_batch WHERE topic = ? AND due_at = ? AND tie = ? AND instance = ? RETURNING content",
);

const insertOpened = (jobs: number) =>
  sql(
    `queue.insert-opened-${jobs}`,
    `INSERT INTO queue_job (topic, id, job_group, payload, state, due_at, tie, attempts, enqueued_at, receipt, reason)
   VALUES ${Array.from({ length: jobs }, () => "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')").join(", ")}`,
  );

/** Jobs of opened batches, claimed or waiting: so many in one statement, the largest first. */
export const INSERT_OPENED = [64, 16, 4, 1].map((jobs) => ({ jobs, statement: insertOpened(jobs) }));

// MATERIALIZED: PostgreSQL may otherwise run the selection once for each row, and claim more than the limit.
const claimText = (locking: string) => `
   WITH due AS MATERIALIZED (
     SELECT topic, id FROM queue_job WHERE topic = ? AND state <> 'buried' AND due_at <= ?
     ORDER BY due_at, tie LIMIT ? ${locking})
   UPDATE queue_job SET state = 'claimed', due_at = ?, attempts = attempts + 1, receipt = ?
   FROM due WHERE queue_job.topic = due.topic AND queue_job.id = due.id
   RETURNING queue_job.id AS id, job_group, payload, attempts, enqueued_at, tie`;

/** Consumers on other machines pass over what one of them is just claiming. */
export const CLAIM = {
  sqlite: sql("queue.claim-sqlite", claimText("")),
  postgres: sql("queue.claim-postgres", claimText("FOR UPDATE SKIP LOCKED")),
} as const;

/** The times of the next job and of the next batch; null where there is none. */
export const NEXT_DUE = sql(
  "queue.next-due",
  `SELECT (SELECT due_at FROM queue_job WHERE topic = ? AND state <> 'buried' ORDER BY due_at, tie LIMIT 1) AS job,
     (SELECT due_at FROM queue_batch WHERE topic = ? ORDER BY due_at, tie, instance LIMIT 1) AS batch`,
);

export const EXTEND = sql(
  "queue.extend",
  "UPDATE queue_job SET due_at = ? WHERE topic = ? AND id = ? AND receipt = ? AND state = 'claimed'",
);

export const ACKNOWLEDGE = sql(
  "queue.acknowledge",
  "DELETE FROM queue_job WHERE topic = ? AND id = ? AND receipt = ? AND state = 'claimed'",
);

export const RETRY = sql(
  "queue.retry",
  `UPDATE queue_job SET state = 'waiting', due_at = ?, tie = ?, receipt = '', reason = ?
   WHERE topic = ? AND id = ? AND receipt = ? AND state = 'claimed'`,
);

export const BURY = sql(
  "queue.bury",
  `UPDATE queue_job SET state = 'buried', due_at = ?, receipt = '', reason = ?
   WHERE topic = ? AND id = ? AND receipt = ? AND state = 'claimed'`,
);

export const DEPTH = sql(
  "queue.depth",
  `SELECT state, CASE WHEN due_at <= ? THEN 1 ELSE 0 END AS is_due, count(*) AS jobs
   FROM queue_job WHERE topic = ? GROUP BY 1, 2`,
);

export const BATCHED = sql("queue.batched", "SELECT sum(jobs) AS jobs FROM queue_batch WHERE topic = ?");
