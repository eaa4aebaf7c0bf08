/** A removal together with its event, in a transaction of the caller's. */
import type { RequestContext } from "../../aws/service.ts";
import type { Transaction } from "../../store/database.ts";
import type { S3 } from "./deps.ts";
import { s3Error } from "./errors.ts";
import { notify } from "./notification/send.ts";
import type { BucketRow } from "./rows.ts";
import { sequencer } from "./sequence.ts";
import { removeObject } from "./versions.ts";
import type { Removed } from "./versions.ts";

export interface Removal {
  readonly key: Buffer;
  readonly versionId: string | undefined;
  readonly ifMatch: string | undefined;
  /** Whether a governing retention does not keep the version. */
  readonly bypass: boolean;
}

export async function removeWithEvent(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  { key, versionId, ifMatch, bypass }: Removal,
  context: RequestContext,
): Promise<Removed> {
  if (bypass && bucket.object_lock === null)
    throw s3Error(
      "InvalidArgument",
      {},
      "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
    );
  const removed = await removeObject(s3, tx, bucket, key, versionId, { ifMatch, bypass });
  if (removed.event !== undefined) {
    const change = {
      name: `ObjectRemoved:${removed.event}`,
      key: key.toString(),
      versionId: bucket.versioning === "" ? undefined : removed.versionId,
      sequencer: sequencer(removed.seq),
    };
    await notify(s3, tx, bucket, change, context);
  }
  return removed;
}
