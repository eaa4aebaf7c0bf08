/** Kinesis' quotas. @see https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html */

/** Open shards of an account in a region. */
export const SHARDS_MAX = 20_000;
export const ON_DEMAND_STREAMS_MAX = 50;
export const ON_DEMAND_SHARDS_FIRST = 4;
/** Of one on-demand stream: 200 MB/s. */
export const ON_DEMAND_SHARDS_MAX = 200;
export const STREAM_SHARDS_MAX = 10_000;
export const CONSUMERS_MAX = 20;
export const TAGS_MAX = 50;
export const RETENTION_HOURS_MIN = 24;
export const RETENTION_HOURS_MAX = 8_760;
export const RECORD_KIB_DEFAULT = 1_024;
export const KIB = 1_024;
/** A PutRecords request, keys and data. */
export const REQUEST_BYTES_MAX = 10 * 1_048_576;
/** What GetRecords or an event of SubscribeToShard gives at most. */
export const ANSWER_BYTES_MAX = 10 * 1_048_576;
export const ANSWER_RECORDS_MAX = 10_000;
export const ITERATOR_MS = 300_000;
export const TOKEN_MS = 300_000;
export const SUBSCRIPTION_MS = 300_000;
/** Within 24 hours. */
export const SHARD_COUNT_CHANGES_MAX = 10;
export const MODE_CHANGES_MAX = 2;
export const DAY_MS = 24 * 3_600_000;
export const HOUR_MS = 3_600_000;
