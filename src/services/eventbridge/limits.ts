/** EventBridge's quotas and the bounds of its values, beside those that the model holds. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */

/** Event buses of an account in a region. */
export const BUSES_MAX = 100;
/** Of all entries of one PutEvents together, in bytes. */
export const PUT_BYTES_MAX = 1024 * 1024;
/** What the time of an entry counts for, in bytes. */
export const ENTRY_TIME_BYTES = 14;
export const DETAIL_TYPE_CHARS_MAX = 128;
export const SOURCE_CHARS_MAX = 256;
export const TARGETS_PER_RULE_MAX = 5;
export const INPUT_PATHS_MAX = 100;
/** Of a bus's policy, in bytes. */
export const POLICY_BYTES_MAX = 10_240;
export const TAGS_MAX = 50;
export const LIST_RESULTS_MAX = 100;
/** Attempts beyond the first, and the age of an event in seconds, where a target names none. */
export const RETRY_ATTEMPTS_DEFAULT = 185;
export const EVENT_AGE_SECONDS_DEFAULT = 86_400;
/** Archives of a bus. */
export const ARCHIVES_MAX = 100;
/** Replays of an account in a region that have not ended. */
export const REPLAYS_ACTIVE_MAX = 10;
/** How long a replay that has ended is listed, in milliseconds. */
export const REPLAY_KEPT_MS = 90 * 86_400_000;
/** Connections of an account in a region. */
export const CONNECTIONS_MAX = 3_000;
export const API_DESTINATIONS_MAX = 3_000;
/** Of an API destination that names no rate. */
export const INVOCATIONS_PER_SECOND_DEFAULT = 300;
