/** The rules of versions: what a write replaces, what a delete leaves, and which version is current after it. */
import type { Transaction } from "../../store/database.ts";
import type { StoredChecksum } from "./checksum/stored.ts";
import { checkWrite, matchesEtag, preconditionFailed } from "./conditions.ts";
import type { WriteConditions } from "./conditions.ts";
import type { S3 } from "./deps.ts";
import { invalidArgument, s3Error } from "./errors.ts";
import { newLock, requireUnlocked } from "./object-lock/lock.ts";
import type { Lock } from "./object-lock/lock.ts";
import type { BucketRow, VersionRow } from "./rows.ts";
import { seqOfVersionId, versionId as newVersionId } from "./sequence.ts";
import { currentHead, deleteVersion, headOfVersion, insertVersion, setLatest } from "./store-objects.ts";
import { deleteParts } from "./store-uploads.ts";

/** The id of the version that a bucket without versioning keeps. */
export const NULL_VERSION = "null";

export interface NewVersion {
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly checksum: StoredChecksum;
  readonly parts: number;
  readonly uploadId: string | null;
  readonly blobName: string | null;
  readonly inlineBytes: Buffer | null;
  /** JSON. */
  readonly headers: string;
  readonly tags: string | null;
  /** What it is to be locked by; undefined for what the bucket does by default. */
  readonly lock: Lock | undefined;
  /** The key that the content is encrypted with, as it is stored; null for plain content. */
  readonly encryption: string | null;
}

export interface Written {
  readonly seq: number;
  readonly modifiedAt: number;
  /** As the answer tells it: absent where the bucket never had versions. */
  readonly versionId: string | undefined;
  /** Blobs that no row names any more, to be discarded after the commit. */
  readonly garbage: readonly (string | null)[];
}

/** Makes content the current version of a key. @throws when the conditions do not hold. */
export async function writeVersion(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  key: Buffer,
  content: NewVersion,
  conditions: WriteConditions,
): Promise<Written> {
  const current = await currentHead(tx, bucket.name, key);
  checkWrite(conditions, current?.is_marker === 1 ? undefined : current, key.toString());
  const seq = s3.sequence.next(current?.seq);
  const id = bucket.versioning === "Enabled" ? newVersionId(seq, s3.ids) : NULL_VERSION;
  const garbage = await makeRoom(tx, bucket, key, current);
  const modifiedAt = s3.clock.now();
  await insertVersion(tx, bucket.name, {
    object_key: key,
    seq,
    version_id: id,
    is_marker: 0,
    size: content.size,
    etag: content.etag,
    modified_at: modifiedAt,
    checksum_algorithm: content.checksum.algorithm,
    checksum_type: content.checksum.type,
    checksum: content.checksum.value,
    parts: content.parts,
    upload_id: content.uploadId,
    blob_name: content.blobName,
    object_lock: newLock(bucket, content.lock, modifiedAt),
    encryption: content.encryption,
    headers: content.headers,
    tags: content.tags,
    inline_bytes: content.inlineBytes,
  });
  return { seq, modifiedAt, versionId: bucket.versioning === "" ? undefined : id, garbage };
}

export interface Removed {
  /** The version removed, or the delete marker that was put. */
  readonly versionId: string | undefined;
  /** A delete marker was put, or the version removed was one. */
  readonly deleteMarker: boolean;
  /** What happened; undefined where nothing was there. */
  readonly event: "Delete" | "DeleteMarkerCreated" | undefined;
  readonly seq: number;
  readonly garbage: readonly (string | null)[];
}

/**
 * Deletes a key (which may only put a delete marker), or one version of it for good.
 * @throws AccessDenied for a version that is locked; PreconditionFailed
 */
export async function removeObject(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  key: Buffer,
  versionId: string | undefined,
  { ifMatch, bypass = false }: { readonly ifMatch?: string | undefined; readonly bypass?: boolean },
): Promise<Removed> {
  const current = await currentHead(tx, bucket.name, key);
  if (ifMatch !== undefined) checkDelete(ifMatch, current, key);
  if (versionId !== undefined) return removeVersion(s3, tx, bucket, key, { versionId, bypass }, current);
  if (bucket.versioning === "") {
    const garbage = current ? await dropVersion(tx, bucket, current) : [];
    const event = current ? "Delete" : undefined;
    return { versionId: undefined, deleteMarker: false, event, seq: s3.sequence.next(current?.seq), garbage };
  }
  const seq = s3.sequence.next(current?.seq);
  const id = bucket.versioning === "Enabled" ? newVersionId(seq, s3.ids) : NULL_VERSION;
  const garbage = await makeRoom(tx, bucket, key, current);
  await insertVersion(tx, bucket.name, { ...marker(key, seq, id), modified_at: s3.clock.now() });
  return { versionId: id, deleteMarker: true, event: "DeleteMarkerCreated", seq, garbage };
}

/** @throws InvalidArgument for what cannot be a version id. */
export function checkVersionId(id: string | undefined): string | undefined {
  if (id === undefined || id === NULL_VERSION || seqOfVersionId(id) !== undefined) return id;
  if (id === "") throw invalidArgument("Version id cannot be the empty string", "versionId", id);
  throw invalidArgument("Invalid version id specified", "versionId", id);
}

async function removeVersion(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  key: Buffer,
  { versionId, bypass }: { readonly versionId: string; readonly bypass: boolean },
  current: VersionRow | undefined,
): Promise<Removed> {
  const row = await headOfVersion(tx, bucket.name, key, versionId);
  if (row) requireUnlocked(row.object_lock, bypass, s3.clock.now());
  const seq = s3.sequence.next(current?.seq);
  if (!row) return { versionId, deleteMarker: false, event: undefined, seq, garbage: [] };
  const garbage = await dropVersion(tx, bucket, row);
  if (row.seq === current?.seq) {
    const next = await currentHead(tx, bucket.name, key);
    if (next) await setLatest(tx, bucket.name, next, 1);
  }
  return { versionId, deleteMarker: row.is_marker === 1, event: "Delete", seq, garbage };
}

/** Before a new version goes in: the null version is replaced by a null version, any other current one is demoted. */
async function makeRoom(
  tx: Transaction,
  bucket: BucketRow,
  key: Buffer,
  current: VersionRow | undefined,
): Promise<readonly (string | null)[]> {
  if (!current) return [];
  const replaces = bucket.versioning !== "Enabled";
  if (replaces && current.version_id === NULL_VERSION) return dropVersion(tx, bucket, current);
  await setLatest(tx, bucket.name, current, 0);
  const older = replaces ? await headOfVersion(tx, bucket.name, key, NULL_VERSION) : undefined;
  return older ? dropVersion(tx, bucket, older) : [];
}

async function dropVersion(
  tx: Transaction,
  bucket: BucketRow,
  row: VersionRow,
): Promise<readonly (string | null)[]> {
  await deleteVersion(tx, bucket.name, row.object_key, row.seq);
  return row.parts > 0 && row.upload_id !== null ? deleteParts(tx, row.upload_id) : [row.blob_name];
}

function checkDelete(ifMatch: string, current: VersionRow | undefined, key: Buffer): void {
  if (!current || current.is_marker === 1) {
    if (ifMatch === "*") throw preconditionFailed("If-Match");
    throw s3Error("NoSuchKey", { Key: key.toString() });
  }
  if (!matchesEtag(ifMatch, current.etag)) throw preconditionFailed("If-Match");
}

function marker(key: Buffer, seq: number, versionId: string) {
  return {
    object_key: key,
    seq,
    version_id: versionId,
    is_marker: 1,
    size: 0,
    etag: "",
    checksum_algorithm: "",
    checksum_type: "",
    checksum: "",
    parts: 0,
    upload_id: null,
    blob_name: null,
    object_lock: null,
    encryption: null,
    headers: "{}",
    tags: null,
    inline_bytes: null,
  } as const;
}
