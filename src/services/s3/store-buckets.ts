/** The SQL of buckets. */
import type { Reader, Transaction } from "../../store/database.ts";
import { sql } from "../../store/database.ts";
import type { BucketRow, Versioning } from "./rows.ts";

const FIND = sql("s3.bucket", "SELECT * FROM s3_bucket WHERE name = ?");
const OF_ACCOUNT = sql("s3.buckets-of-account", "SELECT * FROM s3_bucket WHERE account = ?");
const COUNT = sql("s3.buckets-count", "SELECT count(*) AS count FROM s3_bucket WHERE account = ?");
const INSERT = sql(
  "s3.bucket-insert",
  `INSERT INTO s3_bucket (name, account, region, location, created_at, versioning, tags, notification)
   VALUES (?, ?, ?, ?, ?, '', ?, NULL)`,
);
const DELETE = sql("s3.bucket-delete", "DELETE FROM s3_bucket WHERE name = ?");
const ANY_VERSION = sql("s3.bucket-any-version", "SELECT 1 AS one FROM s3_object WHERE bucket = ? LIMIT 1");
const SET_VERSIONING = sql("s3.bucket-versioning", "UPDATE s3_bucket SET versioning = ? WHERE name = ?");
const SET_TAGS = sql("s3.bucket-tags", "UPDATE s3_bucket SET tags = ? WHERE name = ?");
const SET_NOTIFICATION = sql(
  "s3.bucket-notification",
  "UPDATE s3_bucket SET notification = ? WHERE name = ?",
);

export function findBucket(reader: Reader, name: string): Promise<BucketRow | undefined> {
  return reader.get<BucketRow>(FIND, name);
}

/** Every bucket of an account, in the order of their names' bytes. */
export async function bucketsOf(reader: Reader, account: string): Promise<BucketRow[]> {
  const rows = await reader.all<BucketRow>(OF_ACCOUNT, account);
  return rows.sort((left, right) => (left.name < right.name ? -1 : 1));
}

export async function countBuckets(reader: Reader, account: string): Promise<number> {
  const row = await reader.get<{ count: number }>(COUNT, account);
  return row?.count ?? 0;
}

export async function insertBucket(
  transaction: Transaction,
  row: Pick<BucketRow, "name" | "account" | "region" | "location" | "created_at" | "tags">,
): Promise<void> {
  await transaction.run(INSERT, row.name, row.account, row.region, row.location, row.created_at, row.tags);
}

export async function deleteBucketRow(transaction: Transaction, name: string): Promise<void> {
  await transaction.run(DELETE, name);
}

/** Whether any version or delete marker is left in the bucket. */
export async function hasVersions(reader: Reader, name: string): Promise<boolean> {
  return (await reader.get(ANY_VERSION, name)) !== undefined;
}

export async function setVersioning(
  transaction: Transaction,
  name: string,
  state: Versioning,
): Promise<void> {
  await transaction.run(SET_VERSIONING, state, name);
}

export async function setBucketTags(
  transaction: Transaction,
  name: string,
  tags: string | null,
): Promise<void> {
  await transaction.run(SET_TAGS, tags, name);
}

export async function setNotification(
  transaction: Transaction,
  name: string,
  notification: string | null,
): Promise<void> {
  await transaction.run(SET_NOTIFICATION, notification, name);
}
