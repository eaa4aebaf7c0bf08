/** SQL of layers that are being uploaded: what has come of each, in parts. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";

export interface UploadRow {
  readonly upload_id: string;
  readonly repository_id: number;
  /** What has come, in parts without gaps. */
  readonly bytes: number;
  readonly used_at: number;
}

export interface PartRow {
  readonly start_at: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly blob_name: string;
}

const COLUMNS = `upload_id, repository_id, bytes, used_at`;
const PART = `start_at, bytes, sha256, blob_name`;

const GET = sql("ecr.upload", `SELECT ${COLUMNS} FROM ecr_upload WHERE repository_id = ? AND upload_id = ?`);
const INSERT = sql("ecr.insert-upload", `INSERT INTO ecr_upload (${COLUMNS}) VALUES (?, ?, ?, ?)`);
const GROW = sql(
  "ecr.grow-upload",
  `UPDATE ecr_upload SET bytes = bytes + ?, used_at = ? WHERE upload_id = ? AND bytes = ?`,
);
const DELETE = sql("ecr.delete-upload", `DELETE FROM ecr_upload WHERE upload_id = ?`);
const IDLE = sql("ecr.idle-uploads", `SELECT ${COLUMNS} FROM ecr_upload WHERE used_at <= ? LIMIT ?`);
const OF_REPOSITORY = sql("ecr.uploads", `SELECT ${COLUMNS} FROM ecr_upload WHERE repository_id = ?`);
const COUNT = sql("ecr.upload-count", `SELECT count(*) AS count FROM ecr_upload WHERE repository_id = ?`);
const COUNT_PARTS = sql("ecr.part-count", `SELECT count(*) AS count FROM ecr_part WHERE upload_id = ?`);
const PARTS = sql("ecr.parts", `SELECT ${PART} FROM ecr_part WHERE upload_id = ? ORDER BY start_at`);
const INSERT_PART = sql(
  "ecr.insert-part",
  `INSERT INTO ecr_part (upload_id, ${PART}) VALUES (?, ?, ?, ?, ?)`,
);
const DELETE_PARTS = sql("ecr.delete-parts", `DELETE FROM ecr_part WHERE upload_id = ?`);

export function getUpload(
  reader: Reader,
  repositoryId: number,
  uploadId: string,
): Promise<UploadRow | undefined> {
  return reader.get<UploadRow>(GET, repositoryId, uploadId);
}

export async function insertUpload(tx: Transaction, upload: UploadRow): Promise<void> {
  await tx.run(INSERT, upload.upload_id, upload.repository_id, upload.bytes, upload.used_at);
}

/** Adds a part; false where the upload is gone, or another part came first. */
export async function appendPart(
  tx: Transaction,
  uploadId: string,
  part: PartRow,
  now: number,
): Promise<boolean> {
  if ((await tx.run(GROW, part.bytes, now, uploadId, part.start_at)) === 0) return false;
  await tx.run(INSERT_PART, uploadId, part.start_at, part.bytes, part.sha256, part.blob_name);
  return true;
}

export async function countUploads(reader: Reader, repositoryId: number): Promise<number> {
  return Number((await reader.get<{ count: number | string }>(COUNT, repositoryId))?.count ?? 0);
}

export async function countParts(reader: Reader, uploadId: string): Promise<number> {
  return Number((await reader.get<{ count: number | string }>(COUNT_PARTS, uploadId))?.count ?? 0);
}

export function listParts(reader: Reader, uploadId: string): Promise<PartRow[]> {
  return reader.all<PartRow>(PARTS, uploadId);
}

/** Forgets an upload; false where it was gone. */
export async function deleteUpload(tx: Transaction, uploadId: string): Promise<boolean> {
  await tx.run(DELETE_PARTS, uploadId);
  return (await tx.run(DELETE, uploadId)) > 0;
}

export function listIdleUploads(reader: Reader, before: number, count: number): Promise<UploadRow[]> {
  return reader.all<UploadRow>(IDLE, before, count);
}

export function listUploads(reader: Reader, repositoryId: number): Promise<UploadRow[]> {
  return reader.all<UploadRow>(OF_REPOSITORY, repositoryId);
}
