/** S3's quotas, as AWS documents them; those a site may want to raise come through `deps.limits`. */

export interface S3Limits {
  /** General purpose buckets one account may own. */
  readonly bucketsPerAccountMax: number;
}

export const defaultLimits: S3Limits = { bucketsPerAccountMax: 10_000 };

export const KEY_BYTES_MAX = 1_024;
/** User-defined metadata: UTF-8 bytes of all names and values. */
export const METADATA_BYTES_MAX = 2_048;
/** Largest body of one PutObject, UploadPart or copy. */
export const SINGLE_BODY_BYTES_MAX = 5 * 1024 ** 3;
/** A form that uploads: all of it that comes before the file's content. */
export const FORM_FIELDS_BYTES_MAX = 20_480;
/** Smallest part of a multipart upload, the last one excepted. */
export const PART_BYTES_MIN = 5 * 1024 ** 2;
export const PART_NUMBER_MAX = 10_000;
/** Largest page of every listing of keys, versions, uploads and parts. */
export const LIST_PAGE_MAX = 1_000;
export const LIST_BUCKETS_PAGE_MAX = 10_000;
/** Largest number that a max-keys-like parameter may hold. */
export const LIST_ARGUMENT_MAX = 2_147_483_647;
export const DELETE_OBJECTS_MAX = 1_000;
export const OBJECT_TAGS_MAX = 10;
export const BUCKET_TAGS_MAX = 50;
export const TAG_KEY_CHARACTERS_MAX = 128;
export const TAG_VALUE_CHARACTERS_MAX = 256;
/** UTF-8 bytes of a bucket policy. */
export const POLICY_BYTES_MAX = 20_480;
export const CORS_RULES_MAX = 100;
export const CORS_ID_CHARACTERS_MAX = 255;
/** Default retentions of Object Lock. */
export const RETENTION_DAYS_MAX = 36_500;
export const RETENTION_YEARS_MAX = 100;
export const ROUTING_RULES_MAX = 50;
export const LIFECYCLE_RULES_MAX = 1_000;
export const LIFECYCLE_ID_CHARACTERS_MAX = 255;
/** Noncurrent versions that a lifecycle rule may keep. */
export const NEWER_VERSIONS_MAX = 100;
/** Notification configurations of one bucket. */
export const NOTIFICATIONS_MAX = 100;
export const FILTER_VALUE_BYTES_MAX = 1_024;
export const NOTIFICATION_ID_CHARACTERS_MAX = 255;
