/** What PartiQL statements need of the caller's policies. */
import type { ConditionValues, RequestContext, Requirement } from "../../../aws/service.ts";
import { tableArn } from "../tables/definition.ts";
import { placeAnywhere } from "../tables/registry.ts";
import type { TableRegistry } from "../tables/registry.ts";
import type { AttributeValue } from "../values/value.ts";
import { namesPartitions, partitionsIn } from "./keys-in-where.ts";
import { statementAction } from "./statement.ts";
import type { Statement } from "./statement.ts";

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html */
export async function statementRequirement(
  tables: Pick<TableRegistry, "find">,
  statement: Statement,
  context: RequestContext,
): Promise<Requirement> {
  const place = placeAnywhere(statement.table, context);
  const index = statement.kind === "SELECT" ? statement.index : undefined;
  const arn = tableArn(place);
  const table = await tables.find(place);
  const key = (table?.indexes.find(({ name }) => name === index) ?? table)?.key;
  const { kind } = statement;
  const where = kind === "INSERT" ? undefined : kind === "EXISTS" ? statement.select.where : statement.where;
  const values = !key
    ? undefined
    : kind === "INSERT"
      ? [statement.item[key.partition.name]]
      : partitionsIn(where, key);
  return {
    action: `dynamodb:${statementAction(statement)}`,
    resource: index === undefined ? arn : `${arn}/index/${index}`,
    conditions: {
      ...leadingKeys(values),
      ...(kind === "SELECT" && key && { "dynamodb:fulltablescan": String(!namesPartitions(where, key)) }),
    },
  };
}

/** Not told where one is not known: what asks for them is then not allowed. */
function leadingKeys(values: readonly (AttributeValue | undefined)[] | undefined): ConditionValues {
  const texts = values?.map((value) => value?.S ?? value?.N ?? base64(value?.B)) ?? [];
  return texts.length > 0 && texts.every((text) => text !== undefined)
    ? { "dynamodb:leadingkeys": texts }
    : {};
}

function base64(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString("base64");
}
