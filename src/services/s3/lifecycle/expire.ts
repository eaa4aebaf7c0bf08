/** One expiry, in a transaction of the caller's, who discards the garbage after the commit: looked at anew, since much may have changed. */
import type { Transaction } from "../../../store/database.ts";
import type { S3 } from "../deps.ts";
import type { Place } from "../listing/walk.ts";
import { notify } from "../notification/send.ts";
import { isLocked } from "../object-lock/lock.ts";
import type { BucketRow, ObjectRow } from "../rows.ts";
import { sequencer } from "../sequence.ts";
import { findBucket } from "../store-buckets.ts";
import { listVersionsOfKey } from "../store-listing.ts";
import { newerVersions, versionAt } from "../store-objects.ts";
import { deleteParts, deleteUpload, findUpload } from "../store-uploads.ts";
import { parseTags } from "../tags.ts";
import { removeObject } from "../versions.ts";
import { NEWER_VERSIONS_MAX } from "../limits.ts";
import { abortionOf, enabledRules, expiryOf, markerExpiryOf, noncurrentExpiryOf } from "./rules.ts";
import type { Due, Rule } from "./rules.ts";

type Garbage = readonly (string | null)[];

/** Removes a version that is due, or puts a delete marker on it, with its event. */
export function expireVersion(s3: S3, name: string, { object_key: key, seq }: Place) {
  return async (tx: Transaction): Promise<Garbage> => {
    const bucket = await findBucket(tx, name);
    const row = bucket && (await versionAt(tx, name, key, seq));
    if (!row) return [];
    const due = await dueOf(tx, bucket, enabledRules(bucket.lifecycle), row);
    if (!due || due.at > s3.clock.now()) return [];
    const isKept = row.is_latest === 1 && row.is_marker === 0;
    if (!isKept && isLocked(row.object_lock, false, s3.clock.now())) return [];
    const removed = await removeObject(s3, tx, bucket, key, isKept ? undefined : row.version_id, {});
    const change = {
      name: `LifecycleExpiration:${removed.event ?? "Delete"}`,
      key: key.toString(),
      versionId: bucket.versioning === "" ? undefined : removed.versionId,
      sequencer: sequencer(removed.seq),
    };
    await notify(s3, tx, bucket, change, { requestId: s3.ids.uuid(), servicePrincipal: "s3.amazonaws.com" });
    return removed.garbage;
  };
}

/** Gives an unfinished upload up that is due. */
export function expireUpload(s3: S3, name: string, uploadId: string) {
  return async (tx: Transaction): Promise<Garbage> => {
    const bucket = await findBucket(tx, name);
    const upload = bucket && (await findUpload(tx, uploadId));
    if (!upload) return [];
    const due = abortionOf(enabledRules(bucket.lifecycle), upload.object_key.toString(), upload.initiated_at);
    if (!due || due.at > s3.clock.now()) return [];
    const blobs = await deleteParts(tx, uploadId);
    await deleteUpload(tx, uploadId);
    return blobs;
  };
}

async function dueOf(
  tx: Transaction,
  { name }: BucketRow,
  rules: readonly Rule[],
  row: Omit<ObjectRow, "inline_bytes">,
): Promise<Due | undefined> {
  const { object_key: key, seq, modified_at: modifiedAt } = row;
  const isMarker = row.is_marker === 1;
  const subject = { key: key.toString(), size: row.size, tags: parseTags(row.tags), isMarker };
  if (row.is_latest === 0) {
    // The first of them took its place; the last is the current version.
    const newer = await newerVersions(tx, name, key, seq, NEWER_VERSIONS_MAX + 1);
    const since = newer[0]?.modified_at;
    return since === undefined
      ? undefined
      : noncurrentExpiryOf(rules, subject, { since, newer: newer.length - 1 });
  }
  if (!isMarker) return expiryOf(rules, subject, modifiedAt);
  const [older] = await listVersionsOfKey(tx, name, key, seq, 1);
  return older ? undefined : markerExpiryOf(rules, subject.key, modifiedAt);
}
