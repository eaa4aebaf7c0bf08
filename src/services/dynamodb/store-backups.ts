/** All SQL of backups. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { TableDefinition } from "./tables/definition.ts";

/** On demand, or made of a table with point-in-time recovery that was deleted. */
export type BackupKind = "USER" | "SYSTEM";

/** Names a backup. */
export interface BackupPlace {
  readonly account: string;
  readonly region: string;
  readonly tableName: string;
  /** The end of its ARN, which begins with the time. */
  readonly backupId: string;
}

export interface Backup extends BackupPlace {
  /** Owner of its items in the store. */
  readonly id: number;
  readonly name: string;
  readonly kind: BackupKind;
  readonly status: "CREATING" | "AVAILABLE";
  /** Epoch milliseconds; 0 for a backup that does not expire. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly items: number;
  readonly bytes: number;
  /** The table as it was. */
  readonly table: TableDefinition;
}

/** Which backups are listed. */
export interface BackupFilter {
  readonly account: string;
  readonly region: string;
  readonly tableName: string | undefined;
  readonly kind: BackupKind | undefined;
  /** Epoch milliseconds, the first included, the second not. */
  readonly from: number;
  readonly to: number;
  readonly after: Pick<BackupPlace, "backupId" | "tableName"> | undefined;
}

const COLUMNS = `account, region, backup_id AS "backupId", table_name AS "tableName", id, name, kind, status,
  created_at AS "createdAt", expires_at AS "expiresAt", items, bytes, definition`;
const AT = "account = ? AND region = ? AND backup_id = ? AND table_name = ?";
const insertBackup = sql(
  "dynamodb.insertBackup",
  `INSERT INTO dynamodb_backups (account, region, backup_id, table_name, id, name, kind, status, created_at, expires_at,
     items, bytes, definition) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const selectBackup = sql("dynamodb.backup", `SELECT ${COLUMNS} FROM dynamodb_backups WHERE ${AT}`);
const LISTED = `SELECT ${COLUMNS} FROM dynamodb_backups
  WHERE account = ? AND region = ? AND (backup_id, table_name) > (?, ?) AND created_at >= ? AND created_at < ?
    AND kind LIKE ?`;
const IN_ORDER = "ORDER BY backup_id, table_name LIMIT ?";
const selectBackups = {
  ofAll: sql("dynamodb.backups", `${LISTED} ${IN_ORDER}`),
  ofTable: sql("dynamodb.backupsOfTable", `${LISTED} AND table_name = ? ${IN_ORDER}`),
};
const selectExpired = sql(
  "dynamodb.expiredBackups",
  `SELECT ${COLUMNS} FROM dynamodb_backups WHERE expires_at > 0 AND expires_at <= ? LIMIT ?`,
);
const finishBackupSql = sql(
  "dynamodb.finishBackup",
  "UPDATE dynamodb_backups SET status = 'AVAILABLE', items = ?, bytes = ? WHERE id = ?",
);
const deleteBackup = sql("dynamodb.deleteBackup", `DELETE FROM dynamodb_backups WHERE ${AT}`);

type BackupRow = Omit<Backup, "table"> & { readonly definition: string };

export async function addBackup(transaction: Transaction, backup: Backup): Promise<void> {
  const { account, region, backupId, tableName, id, name, kind, status } = backup;
  await transaction.run(
    insertBackup,
    account,
    region,
    backupId,
    tableName,
    id,
    name,
    kind,
    status,
    backup.createdAt,
    backup.expiresAt,
    backup.items,
    backup.bytes,
    JSON.stringify(backup.table),
  );
}

export async function findBackup(reader: Reader, place: BackupPlace): Promise<Backup | undefined> {
  const { account, region, backupId, tableName } = place;
  const row = await reader.get<BackupRow>(selectBackup, account, region, backupId, tableName);
  return row && readBackup(row);
}

/** Backups in the order of their making. */
export async function listBackupRows(reader: Reader, filter: BackupFilter, limit: number): Promise<Backup[]> {
  const { account, region, tableName, kind, from, to, after } = filter;
  const bounds = [account, region, after?.backupId ?? "", after?.tableName ?? "", from, to, kind ?? "%"];
  const rows =
    tableName === undefined
      ? await reader.all<BackupRow>(selectBackups.ofAll, ...bounds, limit)
      : await reader.all<BackupRow>(selectBackups.ofTable, ...bounds, tableName, limit);
  return rows.map(readBackup);
}

/** Some of the backups whose time is over. @param now Epoch milliseconds. */
export async function expiredBackups(reader: Reader, now: number, limit: number): Promise<Backup[]> {
  return (await reader.all<BackupRow>(selectExpired, now, limit)).map(readBackup);
}

/** Notes that all items of a backup are there. */
export async function finishBackup(
  transaction: Transaction,
  id: number,
  { items, bytes }: Pick<Backup, "items" | "bytes">,
): Promise<void> {
  await transaction.run(finishBackupSql, items, bytes, id);
}

/** Forgets a backup, not its items. */
export async function removeBackup(transaction: Transaction, place: BackupPlace): Promise<void> {
  await transaction.run(deleteBackup, place.account, place.region, place.backupId, place.tableName);
}

function readBackup({ definition, ...row }: BackupRow): Backup {
  return { ...row, table: JSON.parse(definition) as TableDefinition };
}
