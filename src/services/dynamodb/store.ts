/** All SQL of DynamoDB's tables and items. */
import { sql } from "../../store/database.ts";
import type { Migration, Reader, Transaction } from "../../store/database.ts";
import { tables } from "./migrations/001-tables.ts";
import { backups } from "./migrations/005-backups.ts";
import { streamPolicies } from "./migrations/004-stream-policies.ts";
import { tasks } from "./migrations/003-tasks.ts";
import { sharedSequence, streams } from "./migrations/002-streams.ts";
import { removeExpiringTable, removeSomeExpiries } from "./store-expiries.ts";
import { removeTableTasks } from "./store-tasks.ts";
import type { TableDefinition } from "./tables/definition.ts";

export const migrations: readonly Migration[] = [tables, streams, tasks, streamPolicies, backups];
/** What PostgreSQL needs beside them. */
export const sharedMigrations: readonly Migration[] = [sharedSequence];

/** Rows that one transaction of a table's deletion removes. */
export const DELETION_BATCH_ROWS = 500;

const selectTable = sql(
  "dynamodb.table",
  "SELECT definition, status FROM dynamodb_tables WHERE account = ? AND region = ? AND name = ?",
);
const selectTableNames = sql(
  "dynamodb.tableNames",
  "SELECT name FROM dynamodb_tables WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?",
);
const countTables = sql(
  "dynamodb.countTables",
  "SELECT COUNT(*) AS tables FROM dynamodb_tables WHERE account = ? AND region = ?",
);
const selectDeleting = sql(
  "dynamodb.deleting",
  "SELECT definition, status FROM dynamodb_tables WHERE status = 'DELETING'",
);
const insertTable = sql(
  "dynamodb.insertTable",
  "INSERT INTO dynamodb_tables (account, region, name, id, status, definition) VALUES (?, ?, ?, ?, 'ACTIVE', ?)",
);
const selectPolicies = sql(
  "dynamodb.tablesWithPolicies",
  `SELECT COUNT(*) AS "tables" FROM dynamodb_tables WHERE definition LIKE '%"policy":{%'`,
);
const selectRecovered = sql(
  "dynamodb.tablesWithRecovery",
  `SELECT definition, status FROM dynamodb_tables WHERE definition LIKE '%"recovery":{%'`,
);
const updateDefinition = sql(
  "dynamodb.updateDefinition",
  "UPDATE dynamodb_tables SET definition = ? WHERE id = ?",
);
const markDeleting = sql(
  "dynamodb.markDeleting",
  "UPDATE dynamodb_tables SET status = 'DELETING' WHERE id = ?",
);
const deleteTable = sql("dynamodb.deleteTable", "DELETE FROM dynamodb_tables WHERE id = ?");
const deleteTags = sql("dynamodb.deleteTags", "DELETE FROM dynamodb_tags WHERE table_id = ?");
const deleteSomeRows = sql(
  "dynamodb.deleteSomeRows",
  `DELETE FROM dynamodb_items WHERE owner = ? AND (partition_key, position) IN
     (SELECT partition_key, position FROM dynamodb_items WHERE owner = ? LIMIT ?)`,
);

const selectTags = sql(
  "dynamodb.tags",
  "SELECT key, value FROM dynamodb_tags WHERE table_id = ? ORDER BY key",
);
const upsertTag = sql(
  "dynamodb.upsertTag",
  `INSERT INTO dynamodb_tags (table_id, key, value) VALUES (?, ?, ?)
     ON CONFLICT (table_id, key) DO UPDATE SET value = excluded.value`,
);
const deleteTag = sql("dynamodb.deleteTag", "DELETE FROM dynamodb_tags WHERE table_id = ? AND key = ?");

const selectToken = sql(
  "dynamodb.token",
  "SELECT request, expires_at AS expires FROM dynamodb_transaction_tokens WHERE account = ? AND region = ? AND token = ?",
);
const upsertToken = sql(
  "dynamodb.upsertToken",
  `INSERT INTO dynamodb_transaction_tokens (account, region, token, request, expires_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (account, region, token) DO UPDATE SET request = excluded.request, expires_at = excluded.expires_at`,
);
const deleteExpiredTokens = sql(
  "dynamodb.deleteExpiredTokens",
  "DELETE FROM dynamodb_transaction_tokens WHERE expires_at <= ?",
);

interface TableRow {
  readonly definition: string;
  readonly status: string;
}

/** Where a table is found. */
export interface TablePlace {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

export async function findTable(reader: Reader, place: TablePlace): Promise<TableDefinition | undefined> {
  const row = await reader.get<TableRow>(selectTable, place.account, place.region, place.name);
  return row && readDefinition(row);
}

/** Names after `after`, in order. */
export async function listTableNames(
  reader: Reader,
  place: Omit<TablePlace, "name">,
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await reader.all<{ name: string }>(
    selectTableNames,
    place.account,
    place.region,
    after,
    limit,
  );
  return rows.map(({ name }) => name);
}

export async function countTablesIn(reader: Reader, place: Omit<TablePlace, "name">): Promise<number> {
  return (await reader.get<{ tables: number }>(countTables, place.account, place.region))?.tables ?? 0;
}

/** Tables whose deletion a former run began. */
export async function tablesBeingDeleted(reader: Reader): Promise<TableDefinition[]> {
  return (await reader.all<TableRow>(selectDeleting)).map(readDefinition);
}

/** Whether any table has a policy; may say so wrongly. */
export async function anyPolicies(reader: Reader): Promise<boolean> {
  return ((await reader.get<{ tables: number }>(selectPolicies))?.tables ?? 0) > 0;
}

/** Tables with point-in-time recovery. */
export async function tablesWithRecovery(reader: Reader): Promise<TableDefinition[]> {
  const tables = (await reader.all<TableRow>(selectRecovered)).map(readDefinition);
  return tables.filter(({ history }) => history?.recovery !== undefined);
}

export async function addTable(transaction: Transaction, table: TableDefinition): Promise<void> {
  const { account, region, name, id } = table;
  await transaction.run(insertTable, account, region, name, id, JSON.stringify(table));
}

/** Replaces a table's definition, whose revision grows. */
export async function changeTable(
  transaction: Transaction,
  table: TableDefinition,
): Promise<TableDefinition> {
  const changed = { ...table, revision: (table.revision ?? 0) + 1 };
  await transaction.run(updateDefinition, JSON.stringify(changed), table.id);
  return changed;
}

export async function beginDeletion(transaction: Transaction, table: TableDefinition): Promise<void> {
  await transaction.run(markDeleting, table.id);
}

/** Removes some rows of a table that is being deleted, or the table when none are left; answers whether it is gone. */
export async function continueDeletion(transaction: Transaction, table: TableDefinition): Promise<boolean> {
  let room = DELETION_BATCH_ROWS;
  const owners = table.indexes.map(({ id }) => id);
  for (const owner of table.leavesItems ? owners : [table.id, ...owners]) {
    room -= await removeSomeRows(transaction, owner, room);
    if (room <= 0) return false;
  }
  if (table.timeToLive) {
    room -= await removeSomeExpiries(transaction, table.timeToLive.id, room);
    if (room <= 0) return false;
    await removeExpiringTable(transaction, table.timeToLive.id);
  }
  await removeTableTasks(transaction, table.id);
  await transaction.run(deleteTags, table.id);
  await transaction.run(deleteTable, table.id);
  return true;
}

/** Removes up to `limit` items or entries of an owner; answers how many. */
export async function removeSomeRows(
  transaction: Transaction,
  owner: number,
  limit: number,
): Promise<number> {
  return transaction.run(deleteSomeRows, owner, owner, limit);
}

export interface TagRow {
  readonly key: string;
  readonly value: string;
}

export async function tagsOf(reader: Reader, tableId: number): Promise<TagRow[]> {
  return reader.all<TagRow>(selectTags, tableId);
}

export async function setTag(transaction: Transaction, tableId: number, tag: TagRow): Promise<void> {
  await transaction.run(upsertTag, tableId, tag.key, tag.value);
}

export async function removeTag(transaction: Transaction, tableId: number, key: string): Promise<void> {
  await transaction.run(deleteTag, tableId, key);
}

/** The fingerprint of the request that finished under a token, unless it has expired. */
export async function finishedRequest(
  transaction: Transaction,
  place: Omit<TablePlace, "name">,
  token: string,
  now: number,
): Promise<string | undefined> {
  const row = await transaction.get<{ request: string; expires: number }>(
    selectToken,
    place.account,
    place.region,
    token,
  );
  return row && row.expires > now ? row.request : undefined;
}

/** Remembers a finished request, and forgets those that have expired. */
export async function rememberRequest(
  transaction: Transaction,
  place: Omit<TablePlace, "name">,
  token: { readonly token: string; readonly request: string; readonly expiresAt: number },
  now: number,
): Promise<void> {
  await transaction.run(deleteExpiredTokens, now);
  await transaction.run(
    upsertToken,
    place.account,
    place.region,
    token.token,
    token.request,
    token.expiresAt,
  );
}

function readDefinition({ definition, status }: TableRow): TableDefinition {
  return { ...(JSON.parse(definition) as TableDefinition), isDeleting: status === "DELETING" };
}
