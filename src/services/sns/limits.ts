/** SNS's quotas. https://docs.aws.amazon.com/general/latest/gr/sns.html */

const KIB = 1024;
const DAY_MS = 24 * 3_600_000;

export const MESSAGE_BYTES_DEFAULT = 256 * KIB;
export const MESSAGE_BYTES_MAX = 1024 * KIB;
/** The least that MaximumMessageSize may be. */
export const MESSAGE_BYTES_MIN_MAX = KIB;
export const SUBJECT_CHARS_MAX = 100;
export const BATCH_ENTRIES_MAX = 10;
/** Characters of MessageGroupId and MessageDeduplicationId. */
export const ID_CHARS_MAX = 128;
/** How long a FIFO topic knows a message again. */
export const DEDUPLICATION_MS = 300_000;
/** Results of a page of each list. */
export const PAGE_MAX = 100;
export const TAGS_MAX = 50;
/** AWS has 12.5 million; those of a topic are kept in memory here while it is published to. */
export const SUBSCRIPTIONS_MAX = 100_000;
/** AWS: of a FIFO topic. */
export const FIFO_SUBSCRIPTIONS_MAX = 100;
/** Filter policies of one topic. */
export const FILTER_POLICIES_MAX = 200;
export const FILTER_POLICY_BYTES_MAX = 256 * KIB;
export const FILTER_POLICY_KEYS_MAX = 5;
/** The product of the numbers of values of each key, times its depth. */
export const FILTER_POLICY_COMBINATIONS_MAX = 150;
export const POLICY_BYTES_MAX = 30 * KIB;
export const DISPLAY_NAME_CHARS_MAX = 100;
/** Of a token by which a subscription is confirmed, in hexadecimal digits. */
export const TOKEN_DIGITS = 256;
/** How long a subscription waits to be confirmed, and one that was ended to be taken up again. */
export const PENDING_MS = 2 * DAY_MS;
/** Attempts after the first to deliver to what AWS runs, and for how long. https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html */
export const OWN_RETRIES = 100_015;
export const OWN_RETRY_MS = 23 * DAY_MS;
/** The longest that all waits of an endpoint's delivery policy may be together, in seconds. */
export const ENDPOINT_RETRY_SECONDS_MAX = 3_600;
export const ENDPOINT_RETRIES_MAX = 100;
/** An endpoint answers within so long, or the attempt has failed. */
export const ENDPOINT_TIMEOUT_MS = 15_000;
