/** Queues, their messages, and what FIFO queues know of message groups, deduplication and attempts to receive; tasks that move messages. */
import type { Migration } from "../../../store/database.ts";

/**
 * Times are epoch milliseconds. A message is visible from `visible_at` on: the end of its delay, or, once it was received, of its visibility
 * timeout. `receives` is what AWS counts; `claims` also counts those that were given back, and tells receipt handles apart. A group of a
 * FIFO queue has a row while it has messages; nothing of it is received before `ready_at`. `extra` is JSON of what few messages have.
 * `sqs_garbage` names queues that are gone and may have rows left.
 */
export const queues: Migration = {
  name: "001-queues",
  sql: `
CREATE TABLE sqs_counter (
  name text NOT NULL PRIMARY KEY,
  value bigint NOT NULL
);
CREATE TABLE sqs_queue (
  queue_id bigint NOT NULL PRIMARY KEY,
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  created_at bigint NOT NULL,
  modified_at bigint NOT NULL,
  purged_at bigint NOT NULL,
  attributes text NOT NULL,
  tags text NOT NULL,
  dead_letter_arn text NOT NULL,
  UNIQUE (account, region, name)
);
CREATE INDEX sqs_queue_dead_letter ON sqs_queue (dead_letter_arn, name) WHERE dead_letter_arn <> '';
CREATE TABLE sqs_garbage (queue_id bigint NOT NULL PRIMARY KEY);
CREATE TABLE sqs_message (
  queue_id bigint NOT NULL,
  seq bigint NOT NULL,
  visible_at bigint NOT NULL,
  sent_at bigint NOT NULL,
  receives bigint NOT NULL,
  claims bigint NOT NULL,
  first_at bigint NOT NULL,
  message_id text NOT NULL,
  sender text NOT NULL,
  md5 text NOT NULL,
  group_id text,
  extra text,
  body text NOT NULL,
  PRIMARY KEY (queue_id, seq)
);
CREATE INDEX sqs_message_visible ON sqs_message (queue_id, visible_at, seq);
CREATE INDEX sqs_message_group ON sqs_message (queue_id, group_id, seq) WHERE group_id IS NOT NULL;
CREATE TABLE sqs_fifo (
  queue_id bigint NOT NULL PRIMARY KEY,
  next_seq bigint NOT NULL
);
CREATE TABLE sqs_group (
  queue_id bigint NOT NULL,
  group_id text NOT NULL,
  ready_at bigint NOT NULL,
  head_seq bigint NOT NULL,
  PRIMARY KEY (queue_id, group_id)
);
CREATE INDEX sqs_group_ready ON sqs_group (queue_id, ready_at, head_seq);
CREATE TABLE sqs_deduplication (
  queue_id bigint NOT NULL,
  scope text NOT NULL,
  deduplication_id text NOT NULL,
  until bigint NOT NULL,
  message_id text NOT NULL,
  seq bigint NOT NULL,
  PRIMARY KEY (queue_id, scope, deduplication_id)
);
CREATE INDEX sqs_deduplication_until ON sqs_deduplication (until);
CREATE TABLE sqs_attempt (
  queue_id bigint NOT NULL,
  attempt_id text NOT NULL,
  until bigint NOT NULL,
  received text NOT NULL,
  PRIMARY KEY (queue_id, attempt_id)
);
CREATE INDEX sqs_attempt_until ON sqs_attempt (until);
CREATE TABLE sqs_move_task (
  task_id text NOT NULL PRIMARY KEY,
  source_arn text NOT NULL,
  destination_arn text,
  rate bigint,
  status text NOT NULL,
  failure text,
  moved bigint NOT NULL,
  to_move bigint NOT NULL,
  started_at bigint NOT NULL,
  ended_at bigint NOT NULL
);
CREATE INDEX sqs_move_task_source ON sqs_move_task (source_arn, started_at);
CREATE INDEX sqs_move_task_running ON sqs_move_task (started_at) WHERE ended_at = 0;`,
};
