/** PutObjectLockConfiguration and GetObjectLockConfiguration of buckets; retentions and legal holds of versions. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import { bucketFor, keyBytes } from "../access.ts";
import type { S3 } from "../deps.ts";
import { invalidArgument, s3Error } from "../errors.ts";
import { findObject } from "../find-object.ts";
import { RETENTION_DAYS_MAX, RETENTION_YEARS_MAX } from "../limits.ts";
import { future, isMode, lockMissing, parseLock, requireChangeable } from "../object-lock/lock.ts";
import type { BucketLock, Lock } from "../object-lock/lock.ts";
import type { BucketRow, ObjectRow } from "../rows.ts";
import { setObjectLock } from "../store-buckets.ts";
import { setLock } from "../store-objects.ts";
import type { Client } from "./client.ts";

type LockInput = Input<Client, "PutObjectLockConfiguration">;

export async function putObjectLockConfiguration(
  s3: S3,
  input: LockInput,
  context: RequestContext,
): Promise<Output<Client, "PutObjectLockConfiguration">> {
  const { ObjectLockEnabled: enabled, Rule: rule } = input.ObjectLockConfiguration ?? {};
  if (enabled !== "Enabled") throw s3Error("MalformedXML");
  const lock = readDefault(rule?.DefaultRetention);
  await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    if (bucket.versioning !== "Enabled")
      throw s3Error(
        "InvalidBucketState",
        {},
        "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
      );
    await setObjectLock(tx, bucket.name, JSON.stringify(lock));
  });
  return {};
}

type Default = NonNullable<
  NonNullable<NonNullable<LockInput["ObjectLockConfiguration"]>["Rule"]>["DefaultRetention"]
>;

function readDefault(given: Default | undefined): BucketLock {
  if (!given) return {};
  const { Mode: mode, Days: days, Years: years } = given;
  if (!isMode(mode) || (days === undefined) === (years === undefined)) throw s3Error("MalformedXML");
  const period = days ?? years ?? 0;
  if (!Number.isInteger(period) || period < 1)
    throw invalidArgument("Default retention period must be a positive integer value.", "period", period);
  if ((days ?? 0) > RETENTION_DAYS_MAX || (years ?? 0) > RETENTION_YEARS_MAX)
    throw invalidArgument("Default retention period too large", "period", period);
  return days === undefined ? { mode, years: period } : { mode, days };
}

export async function getObjectLockConfiguration(
  s3: S3,
  input: Input<Client, "GetObjectLockConfiguration">,
  context: RequestContext,
): Promise<Output<Client, "GetObjectLockConfiguration">> {
  const { name, object_lock: stored } = await bucketFor(s3.database, input, context);
  if (stored === null) throw s3Error("ObjectLockConfigurationNotFoundError", { BucketName: name });
  const { mode: Mode, days: Days, years: Years } = JSON.parse(stored) as BucketLock;
  return {
    ObjectLockConfiguration: {
      ObjectLockEnabled: "Enabled",
      ...(Mode && { Rule: { DefaultRetention: { Mode, ...(Days ? { Days } : { Years }) } } }),
    },
  };
}

export async function putObjectRetention(
  s3: S3,
  input: Input<Client, "PutObjectRetention">,
  context: RequestContext,
): Promise<Output<Client, "PutObjectRetention">> {
  const { Mode: mode, RetainUntilDate: until, ...rest } = input.Retention ?? {};
  if (Object.values(rest).some((one) => one !== undefined))
    throw notImplemented("retentions that an event begins (EventHold)");
  // Neither takes the retention away.
  if ((mode === undefined) !== (until === undefined)) throw s3Error("MalformedXML");
  if (mode !== undefined && !isMode(mode)) throw s3Error("MalformedXML");
  await s3.database.tx(async (tx) => {
    const { bucket, row } = await lockable(tx, input, context);
    const now = s3.clock.now();
    const retention = mode && until ? { mode, until: future(until, now) } : {};
    const { legalHold, ...old } = parseLock(row.object_lock);
    requireChangeable(old, retention, input.BypassGovernanceRetention === true, now);
    await setLock(tx, bucket.name, row, { ...retention, ...(legalHold && { legalHold }) });
  });
  return {};
}

export async function getObjectRetention(
  s3: S3,
  input: Input<Client, "GetObjectRetention">,
  context: RequestContext,
): Promise<Output<Client, "GetObjectRetention">> {
  const { mode, until } = await lockOf(s3.database, input, context);
  if (mode === undefined || until === undefined) throw s3Error("NoSuchObjectLockConfiguration");
  return { Retention: { Mode: mode, RetainUntilDate: new Date(until) } };
}

export async function putObjectLegalHold(
  s3: S3,
  input: Input<Client, "PutObjectLegalHold">,
  context: RequestContext,
): Promise<Output<Client, "PutObjectLegalHold">> {
  const legalHold = input.LegalHold?.Status;
  if (legalHold !== "ON" && legalHold !== "OFF") throw s3Error("MalformedXML");
  await s3.database.tx(async (tx) => {
    const { bucket, row } = await lockable(tx, input, context);
    await setLock(tx, bucket.name, row, { ...parseLock(row.object_lock), legalHold });
  });
  return {};
}

export async function getObjectLegalHold(
  s3: S3,
  input: Input<Client, "GetObjectLegalHold">,
  context: RequestContext,
): Promise<Output<Client, "GetObjectLegalHold">> {
  const { legalHold } = await lockOf(s3.database, input, context);
  if (legalHold === undefined) throw s3Error("NoSuchObjectLockConfiguration");
  return { LegalHold: { Status: legalHold } };
}

type Named = Input<Client, "GetObjectRetention">;

async function lockOf(reader: Reader, input: Named, context: RequestContext): Promise<Lock> {
  return parseLock((await lockable(reader, input, context)).row.object_lock);
}

/** @throws InvalidRequest where the bucket locks nothing */
async function lockable(
  reader: Reader,
  input: Named,
  context: RequestContext,
): Promise<{ bucket: BucketRow; row: ObjectRow }> {
  const bucket = await bucketFor(reader, input, context);
  if (bucket.object_lock === null) throw lockMissing();
  return { bucket, row: await findObject(reader, bucket, keyBytes(input.Key), input.VersionId, context) };
}
