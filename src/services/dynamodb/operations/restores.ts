/** RestoreTableFromBackup and RestoreTableToPointInTime: a new table with what a table held. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import { beginCopyOfBackup, beginCopyOfTable } from "../backups/begin-copy.ts";
import { backupNotFound, backupPlaceOf } from "../backups/names.ts";
import { earliestRestorable } from "../backups/recovery.ts";
import { restoredDefinition } from "../backups/restored-definition.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { findBackup } from "../store-backups.ts";
import { addTable, findTable } from "../store.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { tableArn } from "../tables/definition.ts";
import { describeTable } from "../tables/describe.ts";
import { validateTableName } from "../tables/registry.ts";
import { tableToBackUp } from "./backups.ts";
import type { Client } from "./client.ts";
import { refuseTooMany } from "./create-table.ts";

export async function restoreTableFromBackup(
  deps: OperationDeps,
  input: Input<Client, "RestoreTableFromBackup">,
  context: RequestContext,
): Promise<Output<Client, "RestoreTableFromBackup">> {
  const { BackupArn: arn = "" } = input;
  const place = backupPlaceOf(arn, context);
  const now = deps.clock.now();
  const name = targetName(input.TargetTableName);
  const target = await deps.database.tx(async (transaction) => {
    const backup = await findBackup(transaction, place);
    if (!backup) throw backupNotFound(arn);
    if (backup.status === "CREATING")
      throw new AwsError("BackupInUseException", `Backup is being created: ${arn}`);
    const { table: source, createdAt } = backup;
    const restored = { backupArn: arn, tableArn: tableArn(source), at: createdAt, isUnderWay: true };
    const made = restoredDefinition(source, input, { name, restored, ids: deps.ids, now });
    await addTarget(transaction, made);
    await beginCopyOfBackup(transaction, backup, copyOf(made));
    return made;
  });
  return begun(deps, target);
}

export async function restoreTableToPointInTime(
  deps: OperationDeps,
  input: Input<Client, "RestoreTableToPointInTime">,
  context: RequestContext,
): Promise<Output<Client, "RestoreTableToPointInTime">> {
  const { SourceTableArn: arn, SourceTableName: sourceName } = input;
  if ((arn === undefined) === (sourceName === undefined))
    throw invalid("Exactly one of SourceTableArn and SourceTableName must be specified");
  const name = targetName(input.TargetTableName);
  const found = await tableToBackUp(deps, arn ?? sourceName ?? "", context);
  const now = deps.clock.now();
  let target: TableDefinition | undefined;
  await deps.tables.whileChanging(found, () =>
    deps.database.tx(async (transaction) => {
      const source = await deps.tables.current(transaction, found);
      const at = momentOf(source, input, now);
      const restored = { tableArn: tableArn(source), at: at ?? now, isUnderWay: true };
      target = restoredDefinition(source, input, { name, restored, ids: deps.ids, now });
      await addTarget(transaction, target);
      return beginCopyOfTable(deps, transaction, source, copyOf(target), at);
    }),
  );
  return begun(deps, target as unknown as TableDefinition);
}

/** The moment in epoch milliseconds; undefined for this one. */
function momentOf(
  { name, history }: TableDefinition,
  input: Input<Client, "RestoreTableToPointInTime">,
  now: number,
): number | undefined {
  const { RestoreDateTime: moment, UseLatestRestorableTime: isLatest } = input;
  if (!history?.recovery)
    throw new AwsError(
      "PointInTimeRecoveryUnavailableException",
      `Point in time recovery is not enabled for table '${name}'`,
    );
  if ((moment !== undefined) === (isLatest === true))
    throw invalid("Exactly one of RestoreDateTime and UseLatestRestorableTime must be specified");
  if (!moment) return undefined;
  const at = moment.getTime();
  if (at < earliestRestorable(history.recovery, now) || at > now)
    throw new AwsError(
      "InvalidRestoreTimeException",
      "RestoreDateTime must be between EarliestRestorableDateTime and LatestRestorableDateTime",
    );
  return at;
}

function targetName(name = ""): string {
  validateTableName(name);
  return name;
}

async function addTarget(transaction: Transaction, table: TableDefinition): Promise<void> {
  const present = await findTable(transaction, table);
  if (present?.isDeleting) throw new AwsError("TableInUseException", `Table is being deleted: ${table.name}`);
  if (present) throw new AwsError("TableAlreadyExistsException", `Table already exists: ${table.name}`);
  await refuseTooMany(transaction, table);
  await addTable(transaction, table);
}

function copyOf({ id, account, region, name }: TableDefinition): {
  id: number;
  kind: "restore";
  account: string;
  region: string;
  name: string;
} {
  return { id, kind: "restore", account, region, name };
}

function begun(deps: OperationDeps, target: TableDefinition): Output<Client, "RestoreTableFromBackup"> {
  deps.tables.forget(target);
  deps.copies.begin(target.id);
  return { TableDescription: describeTable(target, "CREATING", new Map(), target.createdAt) };
}
