/** dynamodb: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { authorization } from "./authorization.ts";
import type { DynamoDbDeps } from "./deps.ts";
import { operationTable } from "./operation-table.ts";
import { migrations } from "./store.ts";
import { TableCounts } from "./tables/counts.ts";
import type { TableDefinition } from "./tables/definition.ts";
import { Deletions } from "./tables/deletions.ts";
import { TableRegistry } from "./tables/registry.ts";

export type { DynamoDbDeps } from "./deps.ts";

export async function createDynamoDb(
  deps: DynamoDbDeps,
): Promise<{ service: Service; stop(): Promise<void> }> {
  await deps.database.migrate("dynamodb", migrations);
  const tables = new TableRegistry(deps.database, deps.clock);
  const deletions = new Deletions(deps.database, tables, deps.log);
  await deletions.resume();
  const operationDeps = {
    ...deps,
    tables,
    counts: new TableCounts(deps.database, deps.clock),
    finishDeletion: (table: TableDefinition) => deletions.begin(table),
  };
  const service = bindService("dynamodb", operationTable, operationDeps, authorization(tables));
  return { service, stop: () => deletions.stop() };
}
