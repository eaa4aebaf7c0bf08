/** UpdateTable: changes a table's throughput, billing, indexes, stream, class or protection. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid, resourceNotFound } from "../errors.ts";
import { addTask } from "../store-tasks.ts";
import { changeTable } from "../store.ts";
import { newId } from "../tables/definition.ts";
import type { IndexDefinition, TableDefinition } from "../tables/definition.ts";
import { describeTable } from "../tables/describe.ts";
import { readStream } from "../tables/stream-specification.ts";
import { refuseOtherMembers } from "../tables/create-indexes.ts";
import { withIndexes } from "../tables/update-indexes.ts";
import { withThroughput } from "../tables/update-throughput.ts";
import type { Client } from "./client.ts";
import { refuseUnfinished, tableToManage } from "./describe-table.ts";

type UpdateTableInput = Input<Client, "UpdateTable">;

/** The members of a request of which one has to be there. */
const CHANGES = [
  "BillingMode",
  "DeletionProtectionEnabled",
  "GlobalSecondaryIndexUpdates",
  "ProvisionedThroughput",
  "StreamSpecification",
  "TableClass",
] as const satisfies readonly (keyof UpdateTableInput)[];
/** The members of an update of an index that are read. */
const INDEX_MEMBERS: ReadonlySet<string> = new Set(["IndexName", "ProvisionedThroughput"]);
const MEMBERS: ReadonlySet<string> = new Set([...CHANGES, "AttributeDefinitions", "TableName"]);

export async function updateTable(
  deps: OperationDeps,
  input: UpdateTableInput,
  context: RequestContext,
): Promise<Output<Client, "UpdateTable">> {
  refuseWhatIsNotThere(input);
  const found = await tableToManage(deps, input.TableName, context);
  if (found.isDeleting) throw resourceNotFound();
  refuseUnfinished(found);
  if (!CHANGES.some((member) => input[member] !== undefined))
    throw invalid(
      "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or " +
        "SSESpecification or ReplicaUpdates is required",
    );
  const indexes: { created?: IndexDefinition | undefined; deleted?: IndexDefinition | undefined } = {};
  const changed = await deps.tables.whileChanging(found, () =>
    deps.database.tx(async (transaction) => {
      const present = await deps.tables.current(transaction, found);
      const throughput = withThroughput(withSettings(present, input), input, deps.clock.now());
      const { table, created, deleted } = withIndexes(throughput, input, () => newId(deps.ids));
      if (created) await addTask(transaction, table, { id: created.id, kind: "index" });
      if (deleted) await addTask(transaction, table, { id: deleted.id, kind: "discard" });
      Object.assign(indexes, { created, deleted });
      return changeTable(transaction, await withStream(deps, transaction, table, input));
    }),
  );
  const task = indexes.created ?? indexes.deleted;
  if (task) deps.tasks.begin(task.id);
  // An index is gone at once, but AWS says first that it is being deleted.
  const shown = indexes.deleted
    ? { ...changed, indexes: [...changed.indexes, { ...indexes.deleted, isDeleting: true }] }
    : changed;
  return {
    TableDescription: describeTable(shown, "UPDATING", await deps.counts.of(changed), deps.clock.now()),
  };
}

/** The settings that are stored as they are given. */
function withSettings(table: TableDefinition, input: UpdateTableInput): TableDefinition {
  return {
    ...table,
    deletionProtected: input.DeletionProtectionEnabled ?? table.deletionProtected,
    hasTableClass: table.hasTableClass || input.TableClass !== undefined,
  };
}

/** Begins the stream of a table, or ends it. */
async function withStream(
  deps: OperationDeps,
  transaction: Transaction,
  table: TableDefinition,
  { StreamSpecification: specification }: UpdateTableInput,
): Promise<TableDefinition> {
  if (!specification) return table;
  const viewType = readStream(specification);
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

/** What Lambent does not implement of changes of tables, by name. */
function refuseWhatIsNotThere(input: UpdateTableInput): void {
  if (input.TableClass === "STANDARD_INFREQUENT_ACCESS")
    throw notImplemented("TableClass STANDARD_INFREQUENT_ACCESS");
  for (const [member, value] of Object.entries(input))
    if (value !== undefined && !MEMBERS.has(member)) throw notImplemented(`${member} of UpdateTable`);
  for (const { Update: update } of input.GlobalSecondaryIndexUpdates ?? [])
    refuseOtherMembers(update ?? {}, INDEX_MEMBERS, "an update of a global secondary index");
}
