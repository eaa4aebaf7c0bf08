/** Commits new content under a key, with its event, and tidies up whichever way that ends. */
import type { RequestContext } from "../../aws/service.ts";
import type { Transaction } from "../../store/database.ts";
import { bucketFor } from "./access.ts";
import type { WriteConditions } from "./conditions.ts";
import type { S3 } from "./deps.ts";
import { discardRefused } from "./discard-refused.ts";
import { expirationOutput } from "./lifecycle/headers.ts";
import { notify } from "./notification/send.ts";
import type { Changer } from "./notification/send.ts";
import type { BucketRow } from "./rows.ts";
import { sequencer } from "./sequence.ts";
import { writeVersion } from "./versions.ts";
import type { NewVersion, Written } from "./versions.ts";

export interface PutVersion {
  readonly input: { readonly Bucket?: string | undefined; readonly ExpectedBucketOwner?: string | undefined };
  readonly key: Buffer;
  readonly content: NewVersion;
  readonly conditions: WriteConditions;
  /** `ObjectCreated:Put` */
  readonly event: string;
}

export interface Put extends Written {
  /** The x-amz-expiration. */
  readonly Expiration?: string;
}

/** One transaction: the version and the hand-over of its event. When S3's rules refuse it, the content is discarded. */
export async function putVersion(s3: S3, put: PutVersion, context: RequestContext): Promise<Put> {
  try {
    const written = await s3.database.tx(async (tx) => {
      const bucket = await bucketFor(tx, put.input, context);
      return putVersionIn(s3, tx, bucket, put, context);
    });
    s3.content.discard(written.garbage);
    return written;
  } catch (error) {
    discardRefused(s3, error, put.content.blobName);
    throw error;
  }
}

/** The same inside a transaction of the caller's, who discards the garbage after the commit. */
export async function putVersionIn(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  { key, content, conditions, event }: Omit<PutVersion, "input">,
  changer: Changer,
): Promise<Put> {
  const written = await writeVersion(s3, tx, bucket, key, content, conditions);
  const change = {
    name: event,
    key: key.toString(),
    size: content.size,
    etag: content.etag,
    versionId: written.versionId,
    sequencer: sequencer(written.seq),
  };
  await notify(s3, tx, bucket, change, changer);
  const told = { key: change.key, size: content.size, tags: content.tags, modifiedAt: written.modifiedAt };
  return { ...written, ...expirationOutput(bucket, told) };
}
