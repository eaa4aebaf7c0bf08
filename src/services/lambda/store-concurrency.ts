/** All SQL of reserved and provisioned concurrency. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { FunctionId } from "./names.ts";

/** Provisioned concurrency of a version or an alias. */
export interface ProvisionedRow {
  /** A version's number, or an alias. */
  readonly qualifier: string;
  /** Execution environments that are kept ready. */
  readonly requested: number;
  /** Epoch milliseconds. */
  readonly lastModified: number;
}

const KEY = "account = ? AND region = ? AND function_name = ?";
const FIELDS = 'qualifier, requested, last_modified AS "lastModified"';

const RESERVED = sql(
  "lambda.reserved",
  "SELECT reserved_concurrency AS reserved FROM lambda_functions WHERE account = ? AND region = ? AND name = ?",
);
const SAVE_RESERVED = sql(
  "lambda.save-reserved",
  "UPDATE lambda_functions SET reserved_concurrency = ? WHERE account = ? AND region = ? AND name = ?",
);
const ALL_RESERVED = sql(
  "lambda.all-reserved",
  `SELECT account, region, name, reserved_concurrency AS reserved FROM lambda_functions
   WHERE reserved_concurrency IS NOT NULL`,
);
const CLAIMED = sql(
  "lambda.claimed-concurrency",
  `SELECT COALESCE(SUM(COALESCE(reserved_concurrency, (
     SELECT SUM(requested) FROM lambda_provisioned_concurrency AS p
     WHERE p.account = f.account AND p.region = f.region AND p.function_name = f.name
   ), 0)), 0) AS claimed
   FROM lambda_functions AS f WHERE account = ? AND region = ?`,
);
const PROVISIONED = sql(
  "lambda.provisioned",
  `SELECT ${FIELDS} FROM lambda_provisioned_concurrency WHERE ${KEY} ORDER BY qualifier`,
);
const ALL_PROVISIONED = sql(
  "lambda.all-provisioned",
  "SELECT DISTINCT account, region, function_name AS name FROM lambda_provisioned_concurrency",
);
const SAVE_PROVISIONED = sql(
  "lambda.save-provisioned",
  `INSERT INTO lambda_provisioned_concurrency
   (account, region, function_name, qualifier, requested, last_modified) VALUES (?, ?, ?, ?, ?, ?)
   ON CONFLICT (account, region, function_name, qualifier) DO UPDATE SET requested = excluded.requested,
   last_modified = excluded.last_modified`,
);
const DELETE_PROVISIONED = sql(
  "lambda.delete-provisioned",
  `DELETE FROM lambda_provisioned_concurrency WHERE ${KEY} AND qualifier = ?`,
);
const DELETE_ALL_PROVISIONED = sql(
  "lambda.delete-all-provisioned",
  `DELETE FROM lambda_provisioned_concurrency WHERE ${KEY}`,
);

const key = (id: FunctionId) => [id.account, id.region, id.name] as const;

/** What a function has reserved; undefined when that is nothing of its own, or there is no such function. */
export async function readReserved(reader: Reader, id: FunctionId): Promise<number | undefined> {
  const row = await reader.get<{ reserved: number | null }>(RESERVED, ...key(id));
  return row?.reserved ?? undefined;
}

/** @param reserved null for a share of what nobody has reserved. */
export async function saveReserved(tx: Transaction, id: FunctionId, reserved: number | null): Promise<void> {
  await tx.run(SAVE_RESERVED, reserved, ...key(id));
}

/** Every function that has reserved something, of all accounts. */
export function readAllReserved(reader: Reader): Promise<(FunctionId & { reserved: number })[]> {
  return reader.all(ALL_RESERVED);
}

/** What all functions of an account in a region have reserved, or provisioned without a reservation. */
export async function readClaimed(reader: Reader, account: string, region: string): Promise<number> {
  // PostgreSQL sums bigint to numeric, which arrives as text.
  return Number((await reader.get<{ claimed: number }>(CLAIMED, account, region))?.claimed);
}

/** All of a function's provisioned concurrency, by qualifier. */
export function readProvisioned(reader: Reader, id: FunctionId): Promise<ProvisionedRow[]> {
  return reader.all<ProvisionedRow>(PROVISIONED, ...key(id));
}

/** Every function that has provisioned something, of all accounts. */
export function readAllProvisioned(reader: Reader): Promise<FunctionId[]> {
  return reader.all<FunctionId>(ALL_PROVISIONED);
}

/** Inserts or replaces one. */
export async function saveProvisioned(tx: Transaction, id: FunctionId, row: ProvisionedRow): Promise<void> {
  await tx.run(SAVE_PROVISIONED, ...key(id), row.qualifier, row.requested, row.lastModified);
}

/** Removes that of one qualifier, or all of the function's when none is named. */
export async function deleteProvisioned(tx: Transaction, id: FunctionId, qualifier?: string): Promise<void> {
  if (qualifier === undefined) await tx.run(DELETE_ALL_PROVISIONED, ...key(id));
  else await tx.run(DELETE_PROVISIONED, ...key(id), qualifier);
}
