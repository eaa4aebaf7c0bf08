/** The rules of Object Lock: what keeps a version of an object from being removed, until when, and who may change it. Pure. */
import type { AwsError } from "../../../aws/errors.ts";
import { invalidArgument, invalidRequest, s3Error } from "../errors.ts";
import type { BucketRow } from "../rows.ts";

export type LockMode = "GOVERNANCE" | "COMPLIANCE";

/** What a version is locked by, as stored (JSON). */
export interface Lock {
  readonly mode?: LockMode;
  /** Epoch milliseconds. */
  readonly until?: number;
  readonly legalHold?: "ON" | "OFF";
}

/** A bucket's Object Lock, as stored (JSON): what new versions get that name nothing themselves. */
export interface BucketLock {
  readonly mode?: LockMode;
  readonly days?: number;
  readonly years?: number;
}

interface LockMembers {
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockRetainUntilDate?: Date | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
}

const DAY_MS = 86_400_000;
const DAYS_PER_YEAR = 365;

/** The lock that a write asks for; undefined for none. @throws InvalidArgument */
export function askedLock(input: LockMembers, now: number): Lock | undefined {
  const { ObjectLockMode: mode, ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus: hold } = input;
  if (mode === undefined && until === undefined && hold === undefined) return undefined;
  if ((mode === undefined) !== (until === undefined))
    throw invalidArgument(
      "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
      mode === undefined ? "x-amz-object-lock-mode" : "x-amz-object-lock-retain-until-date",
      null,
    );
  if (mode !== undefined && !isMode(mode))
    throw invalidArgument("Unknown wormMode directive.", "x-amz-object-lock-mode", mode);
  if (hold !== undefined && hold !== "ON" && hold !== "OFF")
    throw invalidArgument("Legal Hold must be either of 'ON' or 'OFF'", "x-amz-object-lock-legal-hold", hold);
  return {
    ...(mode !== undefined && until !== undefined && { mode, until: future(until, now) }),
    ...(hold !== undefined && { legalHold: hold }),
  };
}

export function isMode(mode: string | undefined): mode is LockMode {
  return mode === "GOVERNANCE" || mode === "COMPLIANCE";
}

/** @throws InvalidArgument for a date that has passed */
export function future(until: Date, now: number): number {
  if (until.getTime() <= now)
    throw invalidArgument(
      "The retain until date must be in the future!",
      "RetainUntilDate",
      until.toISOString(),
    );
  return until.getTime();
}

/** What a new version is locked by, as stored. @throws InvalidRequest where the bucket locks nothing */
export function newLock(
  { object_lock: stored }: Pick<BucketRow, "object_lock">,
  asked: Lock | undefined,
  now: number,
): string | null {
  if (stored === null) {
    if (asked) throw lockMissing();
    return null;
  }
  const { mode, days, years = 0 } = JSON.parse(stored) as BucketLock;
  const byDefault = mode === undefined ? {} : { mode, until: now + (days ?? years * DAYS_PER_YEAR) * DAY_MS };
  const lock = { ...byDefault, ...asked };
  return Object.keys(lock).length === 0 ? null : JSON.stringify(lock);
}

export function parseLock(stored: string | null): Lock {
  return stored === null ? {} : (JSON.parse(stored) as Lock);
}

/** @param bypass Whether the caller may go past a governing retention, and says so. @throws AccessDenied */
export function requireUnlocked(stored: string | null, bypass: boolean, now: number): void {
  if (isLocked(stored, bypass, now)) throw protectedByLock();
}

export function isLocked(stored: string | null, bypass: boolean, now: number): boolean {
  const { mode, until = 0, legalHold } = parseLock(stored);
  if (legalHold === "ON") return true;
  return until > now && !(mode === "GOVERNANCE" && bypass);
}

/** Whether a retention may take the place of another; without a mode it takes it away. @throws AccessDenied */
export function requireChangeable(
  old: Lock,
  retention: Pick<Lock, "mode" | "until">,
  bypass: boolean,
  now: number,
): void {
  if ((old.until ?? 0) <= now) return;
  const isLonger = retention.mode === old.mode && (retention.until ?? 0) >= (old.until ?? 0);
  if (!isLonger && !(old.mode === "GOVERNANCE" && bypass)) throw protectedByLock();
}

export function lockMissing(): AwsError {
  return invalidRequest("Bucket is missing Object Lock Configuration");
}

function protectedByLock(): AwsError {
  return s3Error("AccessDenied", {}, "Access Denied because object protected by object lock.");
}
