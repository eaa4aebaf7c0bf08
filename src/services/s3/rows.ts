/** The rows of S3's tables, as the statements answer them. */
import type { ChecksumAlgorithm, ChecksumType } from "./checksum/algorithms.ts";

export type Versioning = "" | "Enabled" | "Suspended";

export interface BucketRow {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** The LocationConstraint it was created with; "" for none. */
  readonly location: string;
  /** Epoch milliseconds. */
  readonly created_at: number;
  readonly versioning: Versioning;
  /** JSON of {@link TagPair}s, or null. */
  readonly tags: string | null;
  /** JSON of notification configurations, or null. */
  readonly notification: string | null;
  /** The text of the bucket policy, as it was put, or null. */
  readonly policy: string | null;
  readonly policy_is_public: number;
  /** JSON of a {@link PublicAccess}; null where it was never changed. */
  readonly public_access: string | null;
  /** JSON of CORS rules, or null. */
  readonly cors: string | null;
  /** JSON of lifecycle rules as they were given, or null. */
  readonly lifecycle: string | null;
  /** JSON of a {@link BucketLock}; null where the bucket locks nothing. */
  readonly object_lock: string | null;
  /** JSON of a {@link Website}, or null. */
  readonly website: string | null;
  /** JSON; null where new objects are encrypted only when they ask for it. */
  readonly encryption: string | null;
  /** 0 where its ownership controls were removed. */
  readonly has_ownership: number;
}

/** One version of an object, or a delete marker; without its content. */
export interface VersionRow {
  readonly object_key: Buffer;
  /** Grows with every version of a key: the newest is the current one. */
  readonly seq: number;
  readonly version_id: string;
  readonly is_latest: number;
  readonly is_marker: number;
  readonly size: number;
  /** Without quotes; "" for a delete marker. */
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly modified_at: number;
  /** "" for a delete marker. */
  readonly checksum_algorithm: ChecksumAlgorithm | "";
  readonly checksum_type: ChecksumType | "";
  readonly checksum: string;
  /** Parts of a multipart object; 0 for any other. */
  readonly parts: number;
  readonly upload_id: string | null;
  readonly blob_name: string | null;
  /** JSON of a {@link Lock}, or null. */
  readonly object_lock: string | null;
  /** JSON of the key that the content is encrypted with, itself encrypted; null for plain content. */
  readonly encryption: string | null;
}

export interface ObjectRow extends VersionRow {
  /** JSON of {@link ObjectHeaders}. */
  readonly headers: string;
  readonly tags: string | null;
  /** The content of a small object. */
  readonly inline_bytes: Buffer | null;
}

export interface UploadRow {
  readonly upload_id: string;
  readonly bucket: string;
  readonly object_key: Buffer;
  readonly seq: number;
  readonly initiated_at: number;
  readonly initiator: string;
  /** Null when the caller named none: then it is the default, and parts may not name another. */
  readonly checksum_algorithm: ChecksumAlgorithm | null;
  readonly checksum_type: ChecksumType;
  readonly headers: string;
  readonly tags: string | null;
  /** JSON of the {@link Lock} that was asked for, or null. */
  readonly object_lock: string | null;
  /** As an object's. */
  readonly encryption: string | null;
}

export interface PartRow {
  readonly upload_id: string;
  readonly part_number: number;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  readonly modified_at: number;
  /** Base64, of the upload's algorithm. */
  readonly checksum: string;
  /** What the caller sent, where the upload was created without an algorithm. */
  readonly sent_algorithm: ChecksumAlgorithm | null;
  readonly sent_checksum: string | null;
  readonly blob_name: string;
  /** Where it begins in the finished object; null until then. */
  readonly start_at: number | null;
}
