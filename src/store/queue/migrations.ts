/** The schema of the queue and of the leases. */
import type { Migration } from "../database.ts";

export const migrations: readonly Migration[] = [
  {
    name: "001-queue-and-leases",
    // due_at: not before (waiting), end of the lease (claimed). tie: the order of jobs due at the same millisecond.
    sql: `
CREATE TABLE queue_job (
  topic text NOT NULL,
  id text NOT NULL,
  job_group text NOT NULL,
  payload blob NOT NULL,
  state text NOT NULL,
  due_at bigint NOT NULL,
  tie bigint NOT NULL,
  attempts bigint NOT NULL,
  enqueued_at bigint NOT NULL,
  receipt text NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (topic, id)
);
CREATE INDEX queue_job_due ON queue_job (topic, due_at, tie) WHERE state <> 'buried';
CREATE INDEX queue_job_buried ON queue_job (topic, due_at) WHERE state = 'buried';
CREATE TABLE lease (
  name text NOT NULL PRIMARY KEY,
  owner text NOT NULL,
  epoch bigint NOT NULL,
  expires_at bigint NOT NULL
);`,
  },
  {
    name: "002-batches",
    // Jobs that came together, in one row until they are claimed. tie and instance: one of many of the same millisecond.
    sql: `
CREATE TABLE queue_batch (
  topic text NOT NULL,
  due_at bigint NOT NULL,
  tie bigint NOT NULL,
  instance text NOT NULL,
  jobs bigint NOT NULL,
  content blob NOT NULL,
  PRIMARY KEY (topic, due_at, tie, instance)
);`,
  },
];
