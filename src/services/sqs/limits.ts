/** SQS's quotas and the bounds of its values. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */

export const BATCH_ENTRIES_MAX = 10;
/** Of a message, its attributes counted, and of all messages of a batch together. */
export const MESSAGE_BYTES_MAX = 1024 * 1024;
export const MESSAGE_BYTES_MIN_MAX = 1024;
export const MESSAGE_ATTRIBUTES_MAX = 10;
export const RECEIVE_MESSAGES_MAX = 10;
export const DELAY_SECONDS_MAX = 900;
export const VISIBILITY_SECONDS_MAX = 43_200;
export const WAIT_SECONDS_MAX = 20;
export const RETENTION_SECONDS_MIN = 60;
export const RETENTION_SECONDS_MAX = 1_209_600;
/** Messages that are received and not yet deleted, of a standard and of a FIFO queue. */
export const IN_FLIGHT_MAX = 120_000;
/** Within which a message with the same deduplication id is not delivered again, and a receive may be tried again, in milliseconds. */
export const DEDUPLICATION_MS = 300_000;
/** Between two purges of a queue, in milliseconds. */
export const PURGE_INTERVAL_MS = 60_000;
export const RECEIVES_BEFORE_DEAD_LETTER_MAX = 1_000;
export const SOURCE_QUEUE_ARNS_MAX = 10;
export const TAGS_MAX = 50;
export const TAG_KEY_CHARS_MAX = 128;
export const TAG_VALUE_CHARS_MAX = 256;
export const LIST_RESULTS_MAX = 1_000;
/** Statements of a queue's policy, and actions and accounts of one that AddPermission makes. */
export const POLICY_STATEMENTS_MAX = 20;
export const PERMISSION_ACTIONS_MAX = 7;
export const PERMISSION_ACCOUNTS_MAX = 50;
/** Characters of a deduplication id, a message group's and a receive attempt's. */
export const ID_CHARS_MAX = 128;
export const BATCH_ID_CHARS_MAX = 80;
/** Tasks that move messages, of one account and region. */
export const MOVE_TASKS_RUNNING_MAX = 100;
export const MOVE_RATE_MAX = 500;
/** How long a task may run. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html */
export const MOVE_TASK_MS_MAX = 36 * 3_600_000;
/** How long a task that has ended is listed, in milliseconds. */
export const MOVE_TASK_KEPT_MS = 7 * 86_400_000;
