/** Global secondary indexes that UpdateTable creates and deletes, one at a time. */
import type { UpdateTableInput } from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../aws/errors.ts";
import { invalid, invalidParameters } from "../errors.ts";
import { GLOBAL_INDEXES_MAX, checkProjectedCount, readGlobal } from "./create-indexes.ts";
import { readDefinitions, refuseUnusedDefinitions } from "./create.ts";
import type { IndexDefinition, KeyAttribute, TableDefinition } from "./definition.ts";
import { keyAttributes } from "./definition.ts";

/** What a request does to a table's indexes. */
export interface IndexChange {
  readonly table: TableDefinition;
  readonly created?: IndexDefinition;
  readonly deleted?: IndexDefinition;
}

/** The table with the index that a request creates, or without the one that it deletes. */
export function withIndexes(
  table: TableDefinition,
  input: UpdateTableInput,
  newId: () => number,
): IndexChange {
  const updates = input.GlobalSecondaryIndexUpdates ?? [];
  for (const update of updates)
    if ([update.Create, update.Update, update.Delete].filter(Boolean).length !== 1)
      throw invalidParameters(
        "One GlobalSecondaryIndexUpdate must have exactly one of Create, Update and Delete",
      );
  const online = updates.filter(({ Create, Delete }) => Create ?? Delete);
  if (online.length > 1)
    throw new AwsError(
      "LimitExceededException",
      "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
    );
  const [first] = online;
  if (updates.some(({ Delete }) => !Delete) && table.indexes.some(({ isCreating }) => isCreating))
    throw new AwsError(
      "ResourceInUseException",
      `Attempt to change a resource which is still in use: Table is being updated: ${table.name}`,
    );
  if (first?.Delete) return withoutIndex(table, first.Delete.IndexName as string);
  if (!first?.Create) return { table };
  const { Create: create } = first;
  const attributes = mergeDefinitions(table.attributes, input.AttributeDefinitions);
  const names = new Set(table.indexes.map(({ name }) => name));
  if (names.has(create.IndexName as string))
    throw invalid("Attempting to create an index which already exists");
  const created = { ...readGlobal(table.billing, create, { attributes, newId }, names), isCreating: true };
  const indexes = [...table.indexes, created];
  if (indexes.filter(({ isGlobal }) => isGlobal).length > GLOBAL_INDEXES_MAX)
    throw invalidParameters(
      `GlobalSecondaryIndex count exceeds the per-table limit of ${GLOBAL_INDEXES_MAX}`,
    );
  checkProjectedCount(indexes);
  refuseUnusedDefinitions(attributes, [table.key, ...indexes.map(({ key }) => key)]);
  return { table: { ...table, attributes, indexes }, created };
}

function withoutIndex(table: TableDefinition, name: string): IndexChange {
  const deleted = table.indexes.find((index) => index.isGlobal && index.name === name);
  if (!deleted) throw new AwsError("ResourceNotFoundException", "Requested resource not found");
  const indexes = table.indexes.filter((index) => index !== deleted);
  const used = new Set(
    [table.key, ...indexes.map(({ key }) => key)].flatMap((key) => keyAttributes(key).map((one) => one.name)),
  );
  const attributes = table.attributes.filter((attribute) => used.has(attribute.name));
  return { table: { ...table, attributes, indexes }, deleted };
}

/** The attributes of a table and those that a request defines; a type stays as it is. */
function mergeDefinitions(
  present: readonly KeyAttribute[],
  definitions: UpdateTableInput["AttributeDefinitions"],
): KeyAttribute[] {
  const added = readDefinitions(definitions ?? []).filter((attribute) => {
    const known = present.find(({ name }) => name === attribute.name);
    if (known && known.type !== attribute.type)
      throw invalidParameters(
        `Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. ` +
          `Existing schema: {${known.name}:${known.type}} New schema: {${attribute.name}:${attribute.type}}`,
      );
    return !known;
  });
  return [...present, ...added];
}
