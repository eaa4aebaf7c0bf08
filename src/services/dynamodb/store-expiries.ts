/** All SQL of items' times to live. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { RowPlace } from "./store-items.ts";
import type { TablePlace } from "./store.ts";

/** An item's entry. */
export interface Expiry extends Omit<RowPlace, "owner"> {
  /** Epoch milliseconds. */
  readonly at: number;
}

const insertTable = sql(
  "dynamodb.insertExpiringTable",
  "INSERT INTO dynamodb_expiring_tables (owner, account, region, name) VALUES (?, ?, ?, ?)",
);
const deleteTable = sql(
  "dynamodb.deleteExpiringTable",
  "DELETE FROM dynamodb_expiring_tables WHERE owner = ?",
);
const selectTables = sql(
  "dynamodb.expiringTables",
  "SELECT owner, account, region, name FROM dynamodb_expiring_tables ORDER BY owner",
);
const insertExpiry = sql(
  "dynamodb.insertExpiry",
  `INSERT INTO dynamodb_expiries (owner, expires_at, partition_key, position) VALUES (?, ?, ?, ?)
     ON CONFLICT (owner, expires_at, partition_key, position) DO NOTHING`,
);
const deleteExpiry = sql(
  "dynamodb.deleteExpiry",
  "DELETE FROM dynamodb_expiries WHERE owner = ? AND expires_at = ? AND partition_key = ? AND position = ?",
);
const selectExpired = sql(
  "dynamodb.expired",
  `SELECT expires_at AS at, partition_key AS partition, position FROM dynamodb_expiries
     WHERE owner = ? AND expires_at > ? AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
);
const deleteSome = sql(
  "dynamodb.deleteSomeExpiries",
  `DELETE FROM dynamodb_expiries WHERE owner = ? AND (expires_at, partition_key, position) IN
     (SELECT expires_at, partition_key, position FROM dynamodb_expiries WHERE owner = ? LIMIT ?)`,
);

export async function addExpiringTable(
  transaction: Transaction,
  owner: number,
  { account, region, name }: TablePlace,
): Promise<void> {
  await transaction.run(insertTable, owner, account, region, name);
}

export async function removeExpiringTable(transaction: Transaction, owner: number): Promise<void> {
  await transaction.run(deleteTable, owner);
}

/** Tables that heed times to live, with the owners of their entries. */
export async function expiringTables(reader: Reader): Promise<(TablePlace & { owner: number })[]> {
  return reader.all(selectTables);
}

export async function addExpiry(
  transaction: Transaction,
  owner: number,
  { at, partition, position }: Expiry,
): Promise<void> {
  await transaction.run(insertExpiry, owner, at, partition, position);
}

export async function removeExpiry(
  transaction: Transaction,
  owner: number,
  { at, partition, position }: Expiry,
): Promise<void> {
  await transaction.run(deleteExpiry, owner, at, partition, position);
}

/** Entries after one time, up to another (included). */
export async function expiredEntries(
  reader: Reader,
  owner: number,
  range: { readonly after: number; readonly to: number; readonly limit: number },
): Promise<Expiry[]> {
  return reader.all(selectExpired, owner, range.after, range.to, range.limit);
}

/** Removes up to `limit` entries; answers how many. */
export async function removeSomeExpiries(
  transaction: Transaction,
  owner: number,
  limit: number,
): Promise<number> {
  return transaction.run(deleteSome, owner, owner, limit);
}
