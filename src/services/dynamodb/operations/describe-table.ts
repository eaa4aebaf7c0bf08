/** DescribeTable and ListTables. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { resourceNotFound } from "../errors.ts";
import { listTableNames } from "../store.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { describeTable as describe } from "../tables/describe.ts";
import { checkForeigner } from "../tables/access.ts";
import { placeAnywhere, requiredTableName } from "../tables/registry.ts";
import type { Client } from "./client.ts";

const LISTED_MAX = 100;

export async function describeTable(
  deps: OperationDeps,
  input: Input<Client, "DescribeTable">,
  context: RequestContext,
): Promise<Output<Client, "DescribeTable">> {
  const table = await tableToManage(deps, input.TableName, context);
  return { Table: describe(table, statusOf(table), await deps.counts.of(table), deps.clock.now()) };
}

function statusOf({ isDeleting, restored }: TableDefinition): "CREATING" | "ACTIVE" | "DELETING" {
  if (isDeleting) return "DELETING";
  return restored?.isUnderWay ? "CREATING" : "ACTIVE";
}

export async function listTables(
  deps: OperationDeps,
  input: Input<Client, "ListTables">,
  context: RequestContext,
): Promise<Output<Client, "ListTables">> {
  const limit = input.Limit ?? LISTED_MAX;
  const names = await listTableNames(deps.database, context, input.ExclusiveStartTableName ?? "", limit + 1);
  const listed = names.slice(0, limit);
  return {
    TableNames: listed,
    LastEvaluatedTableName: names.length > limit ? listed.at(-1) : undefined,
  };
}

/** @throws AwsError ResourceInUseException for a table that is still being restored */
export function refuseUnfinished({ name, restored }: TableDefinition): void {
  if (restored?.isUnderWay)
    throw new AwsError(
      "ResourceInUseException",
      `Attempt to change a resource which is still in use: Table is being created: ${name}`,
    );
}

/** The table, deleting or not, with the error that the operations on tables have. */
export async function tableToManage(
  deps: OperationDeps,
  nameOrArn: string | undefined,
  context: RequestContext,
): Promise<TableDefinition> {
  const place = placeAnywhere(requiredTableName(nameOrArn), context);
  const table = await deps.tables.find(place);
  await checkForeigner(deps.policies, place, table, { action: context.operation }, context);
  if (!table) throw resourceNotFound(`Requested resource not found: Table: ${place.name} not found`);
  return table;
}
