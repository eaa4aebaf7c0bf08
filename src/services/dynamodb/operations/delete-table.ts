/** DeleteTable: takes a table away with all that is in it. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { beginDeletion, continueDeletion, findTable } from "../store.ts";
import { tableArn } from "../tables/definition.ts";
import { describeTable } from "../tables/describe.ts";
import type { Client } from "./client.ts";
import { tableToManage } from "./describe-table.ts";

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
  if (table.deletionProtected)
    throw invalid(
      "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
    );
  // A small table is gone when this is answered; of a larger one the rest is deleted in the background.
  const isGone = await deps.tables.whileDeleting(table, () =>
    deps.database.tx(async (transaction) => {
      await deps.streams.end(transaction, (await findTable(transaction, table)) ?? table);
      await beginDeletion(transaction, table);
      return continueDeletion(transaction, table);
    }),
  );
  if (!isGone) deps.finishDeletion(table);
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
