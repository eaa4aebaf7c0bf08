/** Finding a bucket for a caller: that it exists, and that the caller speaks to its region. What callers may do, the front door has seen to. */
import { createHash } from "node:crypto";
import type { RequestContext } from "../../aws/service.ts";
import type { Reader } from "../../store/database.ts";
import { s3Error } from "./errors.ts";
import { KEY_BYTES_MAX } from "./limits.ts";
import type { BucketRow } from "./rows.ts";
import { findBucket } from "./store-buckets.ts";

interface BucketInput {
  readonly Bucket?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/**
 * The bucket a request names.
 * @throws NoSuchBucket; AccessDenied for another owner's than was expected; PermanentRedirect for one in another region.
 */
export async function bucketFor(
  reader: Reader,
  input: BucketInput,
  context: RequestContext,
): Promise<BucketRow> {
  const bucket = await bucketAnywhere(reader, input);
  // A request without a signature names no region, so there is nothing to hold it to.
  if (context.principal.accessKeyId !== undefined && bucket.region !== context.region) {
    context.responseHeaders["x-amz-bucket-region"] = bucket.region;
    throw s3Error("PermanentRedirect", {
      Endpoint: `${bucket.name}.s3.${bucket.region}.amazonaws.com`,
      Bucket: bucket.name,
    });
  }
  return bucket;
}

/** As {@link bucketFor}, from whichever region the caller speaks. */
export async function bucketAnywhere(reader: Reader, input: BucketInput): Promise<BucketRow> {
  const name = input.Bucket ?? "";
  const bucket = await findBucket(reader, name);
  if (!bucket) throw s3Error("NoSuchBucket", { BucketName: name });
  const expected = input.ExpectedBucketOwner;
  if (expected !== undefined && expected !== bucket.account) throw s3Error("AccessDenied");
  return bucket;
}

/** A key as it is stored. @throws KeyTooLongError above 1,024 bytes of UTF-8. */
export function keyBytes(key: string | undefined): Buffer {
  const bytes = Buffer.from(key ?? "", "utf8");
  if (bytes.length > KEY_BYTES_MAX)
    throw s3Error("KeyTooLongError", { Size: bytes.length, MaxSizeAllowed: KEY_BYTES_MAX });
  return bytes;
}

/** The canonical user id of an account: 64 hexadecimal digits, always the same for the account. */
export function canonicalUserId(account: string): string {
  return createHash("sha256").update(`canonical user of account ${account}`).digest("hex");
}
