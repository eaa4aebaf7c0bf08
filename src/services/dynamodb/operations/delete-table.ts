/** DeleteTable: takes a table away with all that is in it. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { newBackupId } from "../backups/names.ts";
import { systemBackupExpiry } from "../backups/recovery.ts";
import type { Transaction } from "../../../store/database.ts";
import { addBackup } from "../store-backups.ts";
import { addTask } from "../store-tasks.ts";
import { beginDeletion, changeTable, continueDeletion, findTable } from "../store.ts";
import { tableArn } from "../tables/definition.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { describeTable } from "../tables/describe.ts";
import type { Counts } from "../tables/describe.ts";
import type { Client } from "./client.ts";
import { refuseUnfinished, tableToManage } from "./describe-table.ts";

export async function deleteTable(
  deps: OperationDeps,
  input: Input<Client, "DeleteTable">,
  context: RequestContext,
): Promise<Output<Client, "DeleteTable">> {
  const table = await tableToManage(deps, input.TableName, context);
  if (table.isDeleting)
    throw new AwsError(
      "ResourceInUseException",
      `Attempt to change a resource which is still in use: Table is being deleted: ${table.name}`,
    );
  refuseUnfinished(table);
  if (table.deletionProtected)
    throw invalid(
      "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
    );
  // A small table is gone when this is answered; of a larger one the rest is deleted in the background.
  const counts = table.history?.recovery && (await deps.counts.of(table)).get(table.id);
  const { isGone, left } = await deps.tables.whileDeleting(table, () =>
    deps.database.tx(async (transaction) => {
      const present = (await findTable(transaction, table)) ?? table;
      refuseWhileCopied(present);
      await deps.streams.end(transaction, present);
      const left = await leaveToBackup(deps, transaction, present, counts);
      if (present.history) await addTask(transaction, present, { id: present.history.id, kind: "discard" });
      await beginDeletion(transaction, left);
      return { isGone: await continueDeletion(transaction, left), left };
    }),
  );
  if (!isGone) deps.finishDeletion(left);
  if (left.history) deps.tasks.begin(left.history.id);
  const {
    TableName,
    TableStatus,
    ProvisionedThroughput,
    TableSizeBytes,
    ItemCount,
    TableId,
    DeletionProtectionEnabled,
  } = describeTable(table, "DELETING", new Map(), deps.clock.now());
  return {
    TableDescription: {
      TableName,
      TableStatus,
      ProvisionedThroughput,
      TableSizeBytes,
      ItemCount,
      TableArn: tableArn(table),
      TableId,
      DeletionProtectionEnabled,
    },
  };
}

/** @throws AwsError ResourceInUseException while a backup or a restored table is being made of the table */
function refuseWhileCopied({ name, history }: TableDefinition): void {
  if (history && history.copies.length > 0)
    throw new AwsError(
      "ResourceInUseException",
      `Attempt to change a resource which is still in use: Table is being backed up or restored: ${name}`,
    );
}

/** A table with point-in-time recovery leaves its items to a backup, for the longest time that a recovery can have. */
async function leaveToBackup(
  deps: OperationDeps,
  transaction: Transaction,
  table: TableDefinition,
  counts: Counts = { items: 0, bytes: 0 },
): Promise<TableDefinition> {
  if (!table.history?.recovery) return table;
  const { account, region, name } = table;
  const now = deps.clock.now();
  await addBackup(transaction, {
    account,
    region,
    tableName: name,
    backupId: newBackupId(deps.ids, now),
    id: table.id,
    name: `${name}$DeletedTableBackup`,
    kind: "SYSTEM",
    status: "AVAILABLE",
    createdAt: now,
    expiresAt: systemBackupExpiry(now),
    items: counts.items,
    bytes: counts.bytes,
    table,
  });
  return changeTable(transaction, { ...table, leavesItems: true });
}
