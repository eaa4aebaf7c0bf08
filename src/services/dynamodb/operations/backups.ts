/** CreateBackup, DescribeBackup, ListBackups and DeleteBackup. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { beginCopyOfTable } from "../backups/begin-copy.ts";
import { backupDetails, backupSummary, describeBackup as describe } from "../backups/describe.ts";
import { backupArn, backupNotFound, backupPlaceOf, newBackupId } from "../backups/names.ts";
import type { OperationDeps } from "../deps.ts";
import { addBackup, findBackup, listBackupRows, removeBackup } from "../store-backups.ts";
import type { Backup } from "../store-backups.ts";
import { isCopied } from "../store-copies.ts";
import { addTask } from "../store-tasks.ts";
import { newId } from "../tables/definition.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { placeOf } from "../tables/registry.ts";
import type { Client } from "./client.ts";

const LISTED_MAX = 100;

export async function createBackup(
  deps: OperationDeps,
  input: Input<Client, "CreateBackup">,
  context: RequestContext,
): Promise<Output<Client, "CreateBackup">> {
  const found = await tableToBackUp(deps, input.TableName ?? "", context);
  const { account, region, name: tableName } = found;
  const now = deps.clock.now();
  const id = newId(deps.ids);
  const place = { account, region, tableName, backupId: newBackupId(deps.ids, now) };
  const common = { id, name: input.BackupName ?? "", kind: "USER", status: "CREATING" } as const;
  let backup: Backup | undefined;
  await deps.tables.whileChanging(found, () =>
    deps.database.tx(async (transaction) => {
      const table = await deps.tables.current(transaction, found);
      backup = { ...place, ...common, createdAt: now, expiresAt: 0, items: 0, bytes: 0, table };
      await addBackup(transaction, backup);
      const made = { id, kind: "backup", account, region, name: tableName } as const;
      return beginCopyOfTable(deps, transaction, table, made);
    }),
  );
  deps.copies.begin(id);
  const { bytes } = { bytes: 0, ...(await deps.counts.of(found)).get(found.id) };
  return { BackupDetails: backupDetails({ ...(backup as unknown as Backup), bytes }) };
}

/** @throws AwsError TableNotFoundException, ContinuousBackupsUnavailableException */
export async function tableToBackUp(
  { tables }: Pick<OperationDeps, "tables">,
  nameOrArn: string,
  context: RequestContext,
): Promise<TableDefinition> {
  const place = placeOf(nameOrArn, context);
  const table = await tables.find(place);
  if (!table || table.isDeleting)
    throw new AwsError("TableNotFoundException", `Table not found: ${place.name}`);
  if (table.restored?.isUnderWay)
    throw new AwsError(
      "ContinuousBackupsUnavailableException",
      `Backups are being enabled for the table: ${table.name}. Please retry later`,
    );
  return table;
}

export async function describeBackup(
  deps: OperationDeps,
  { BackupArn: arn = "" }: Input<Client, "DescribeBackup">,
  context: RequestContext,
): Promise<Output<Client, "DescribeBackup">> {
  const backup = await findBackup(deps.database, backupPlaceOf(arn, context));
  if (!backup) throw backupNotFound(arn);
  return { BackupDescription: describe(backup) };
}

export async function deleteBackup(
  deps: OperationDeps,
  { BackupArn: arn = "" }: Input<Client, "DeleteBackup">,
  context: RequestContext,
): Promise<Output<Client, "DeleteBackup">> {
  const place = backupPlaceOf(arn, context);
  const deleted = await deps.database.tx(async (transaction) => {
    const backup = await findBackup(transaction, place);
    if (!backup) throw backupNotFound(arn);
    if (backup.status === "CREATING" || (await isCopied(transaction, backup.id))) throw inUse(arn);
    await removeBackup(transaction, place);
    await addTask(transaction, backup.table, { id: backup.id, kind: "discard" });
    return backup;
  });
  deps.tasks.begin(deleted.id);
  const description = describe(deleted);
  return {
    BackupDescription: {
      ...description,
      BackupDetails: { ...backupDetails(deleted), BackupStatus: "DELETED" },
    },
  };
}

function inUse(arn: string): AwsError {
  return new AwsError(
    "BackupInUseException",
    `The backup is being created or restored to a table; try again when that is done: ${arn}`,
  );
}

export async function listBackups(
  deps: OperationDeps,
  input: Input<Client, "ListBackups">,
  context: RequestContext,
): Promise<Output<Client, "ListBackups">> {
  const { account, region } = context;
  const limit = input.Limit ?? LISTED_MAX;
  const { BackupType: kind = "USER", ExclusiveStartBackupArn: start } = input;
  // AWS Backup is not there, and nothing of it.
  if (kind === "AWS_BACKUP") return { BackupSummaries: [] };
  const filter = {
    account,
    region,
    tableName: input.TableName === undefined ? undefined : placeOf(input.TableName, context).name,
    kind: kind === "ALL" ? undefined : kind,
    from: input.TimeRangeLowerBound?.getTime() ?? 0,
    to: input.TimeRangeUpperBound?.getTime() ?? Number.MAX_SAFE_INTEGER,
    after: start === undefined ? undefined : backupPlaceOf(start, context),
  };
  const backups = await listBackupRows(deps.database, filter, limit + 1);
  const listed = backups.slice(0, limit);
  const last = backups.length > limit ? listed.at(-1) : undefined;
  return {
    BackupSummaries: listed.map(backupSummary),
    LastEvaluatedBackupArn: last && backupArn(last),
  };
}
