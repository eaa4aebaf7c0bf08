/** The SQL of buckets. */
import type { Reader, Transaction } from "../../store/database.ts";
import { sql } from "../../store/database.ts";
import type { BucketRow, Versioning } from "./rows.ts";

const FIND = sql("s3.bucket", "SELECT * FROM s3_bucket WHERE name = ?");
const OF_ACCOUNT = sql("s3.buckets-of-account", "SELECT * FROM s3_bucket WHERE account = ?");
const COUNT = sql("s3.buckets-count", "SELECT count(*) AS count FROM s3_bucket WHERE account = ?");
const INSERT = sql(
  "s3.bucket-insert",
  `INSERT INTO s3_bucket (name, account, region, location, created_at, versioning, tags, object_lock)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
);
const DELETE = sql("s3.bucket-delete", "DELETE FROM s3_bucket WHERE name = ?");
const ANY_VERSION = sql("s3.bucket-any-version", "SELECT 1 AS one FROM s3_object WHERE bucket = ? LIMIT 1");
const GATE = sql(
  "s3.bucket-gate",
  "SELECT account, policy, policy_is_public, public_access FROM s3_bucket WHERE name = ?",
);
const CORS = sql("s3.bucket-cors-rules", "SELECT cors FROM s3_bucket WHERE name = ?");
const SET_VERSIONING = sql("s3.bucket-versioning", "UPDATE s3_bucket SET versioning = ? WHERE name = ?");
const SET_TAGS = sql("s3.bucket-tags", "UPDATE s3_bucket SET tags = ? WHERE name = ?");
const SET_NOTIFICATION = sql(
  "s3.bucket-notification",
  "UPDATE s3_bucket SET notification = ? WHERE name = ?",
);
const SET_POLICY = sql(
  "s3.bucket-policy",
  "UPDATE s3_bucket SET policy = ?, policy_is_public = ? WHERE name = ?",
);
const SET_PUBLIC_ACCESS = sql(
  "s3.bucket-public-access",
  "UPDATE s3_bucket SET public_access = ? WHERE name = ?",
);
const SET_LIFECYCLE = sql("s3.bucket-lifecycle", "UPDATE s3_bucket SET lifecycle = ? WHERE name = ?");
const WITH_LIFECYCLE = sql(
  "s3.buckets-with-lifecycle",
  "SELECT name, lifecycle FROM s3_bucket WHERE lifecycle IS NOT NULL ORDER BY name",
);
const SET_OBJECT_LOCK = sql("s3.bucket-object-lock", "UPDATE s3_bucket SET object_lock = ? WHERE name = ?");
const SET_WEBSITE = sql("s3.bucket-website", "UPDATE s3_bucket SET website = ? WHERE name = ?");
const SET_ENCRYPTION = sql("s3.bucket-encryption", "UPDATE s3_bucket SET encryption = ? WHERE name = ?");
const SET_OWNERSHIP = sql("s3.bucket-ownership", "UPDATE s3_bucket SET has_ownership = ? WHERE name = ?");
const SET_CORS = sql("s3.bucket-cors", "UPDATE s3_bucket SET cors = ? WHERE name = ?");

export function findBucket(reader: Reader, name: string): Promise<BucketRow | undefined> {
  return reader.get<BucketRow>(FIND, name);
}

/** What decides who may use a bucket. */
export type BucketGate = Pick<BucketRow, "account" | "policy" | "policy_is_public" | "public_access">;

export function bucketGate(reader: Reader, name: string): Promise<BucketGate | undefined> {
  return reader.get<BucketGate>(GATE, name);
}

/** The CORS rules of a bucket, as stored; undefined where it has none, or where there is no bucket. */
export async function corsOf(reader: Reader, name: string): Promise<string | undefined> {
  const row = await reader.get<Pick<BucketRow, "cors">>(CORS, name);
  return row?.cors ?? undefined;
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
  row: Pick<
    BucketRow,
    "name" | "account" | "region" | "location" | "created_at" | "versioning" | "tags" | "object_lock"
  >,
): Promise<void> {
  const { name, account, region, location, created_at: createdAt } = row;
  const { versioning, tags, object_lock: lock } = row;
  await transaction.run(INSERT, name, account, region, location, createdAt, versioning, tags, lock);
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

export async function setPolicy(
  transaction: Transaction,
  name: string,
  policy: string | null,
  isPublic: boolean,
): Promise<void> {
  await transaction.run(SET_POLICY, policy, isPublic ? 1 : 0, name);
}

export async function setPublicAccess(transaction: Transaction, name: string, value: string): Promise<void> {
  await transaction.run(SET_PUBLIC_ACCESS, value, name);
}

export async function setCors(transaction: Transaction, name: string, cors: string | null): Promise<void> {
  await transaction.run(SET_CORS, cors, name);
}

export async function setLifecycle(
  transaction: Transaction,
  name: string,
  lifecycle: string | null,
): Promise<void> {
  await transaction.run(SET_LIFECYCLE, lifecycle, name);
}

/** The buckets of all accounts whose objects expire. */
export function bucketsWithLifecycle(reader: Reader): Promise<Pick<BucketRow, "name" | "lifecycle">[]> {
  return reader.all<Pick<BucketRow, "name" | "lifecycle">>(WITH_LIFECYCLE);
}

export async function setObjectLock(transaction: Transaction, name: string, lock: string): Promise<void> {
  await transaction.run(SET_OBJECT_LOCK, lock, name);
}

export async function setWebsite(
  transaction: Transaction,
  name: string,
  website: string | null,
): Promise<void> {
  await transaction.run(SET_WEBSITE, website, name);
}

export async function setEncryption(
  transaction: Transaction,
  name: string,
  encryption: string | null,
): Promise<void> {
  await transaction.run(SET_ENCRYPTION, encryption, name);
}

export async function setOwnership(
  transaction: Transaction,
  name: string,
  hasOwnership: boolean,
): Promise<void> {
  await transaction.run(SET_OWNERSHIP, hasOwnership ? 1 : 0, name);
}
