/** UpdateTable: changes one thing of a table. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { changeTable } from "../store.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { describeTable } from "../tables/describe.ts";
import { readStream } from "../tables/stream-specification.ts";
import type { Client } from "./client.ts";
import { tableToManage } from "./describe-table.ts";
import type { Transaction } from "../../../store/database.ts";
import type { ViewType } from "../store-streams.ts";

/** The members of a request that are read. */
const MEMBERS: ReadonlySet<string> = new Set<keyof Input<Client, "UpdateTable">>([
  "StreamSpecification",
  "TableName",
]);

export async function updateTable(
  deps: OperationDeps,
  input: Input<Client, "UpdateTable">,
  context: RequestContext,
): Promise<Output<Client, "UpdateTable">> {
  for (const [member, value] of Object.entries(input))
    if (value !== undefined && !MEMBERS.has(member)) throw notImplemented(`${member} of UpdateTable`);
  const viewType = readStream(input.StreamSpecification);
  const found = await tableToManage(deps, input.TableName, context);
  const changed = await deps.tables.whileChanging(found, () =>
    deps.database.tx(async (transaction) => {
      const table = await deps.tables.current(transaction, found);
      return changeTable(transaction, await changeStream(deps, transaction, table, viewType));
    }),
  );
  return { TableDescription: describeTable(changed, "ACTIVE", await deps.counts.of(changed)) };
}

/** Begins the stream of a table, or ends it. */
async function changeStream(
  deps: OperationDeps,
  transaction: Transaction,
  table: TableDefinition,
  viewType: ViewType | undefined,
): Promise<TableDefinition> {
  const isEnabled = table.stream?.isEnabled === true;
  if (viewType) {
    if (isEnabled) throw invalid(`Table already has an enabled stream: TableName: ${table.name}`);
    return { ...table, stream: await deps.streams.begin(transaction, table, viewType) };
  }
  if (!isEnabled || !table.stream)
    throw invalid(`Table does not have an enabled stream: TableName: ${table.name}`);
  await deps.streams.end(transaction, table);
  return { ...table, stream: { ...table.stream, isEnabled: false } };
}
