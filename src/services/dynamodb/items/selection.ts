/** What a query or scan returns of the items it finds: the rules of Select, ProjectionExpression and AttributesToGet. */
import type { Select } from "@aws-sdk/client-dynamodb";
import { invalid, invalidParameters } from "../errors.ts";
import { project } from "../expressions/project.ts";
import type { Path } from "../expressions/tree.ts";
import type { IndexDefinition, TableDefinition } from "../tables/definition.ts";
import { keyAttributes, projectedNames } from "../tables/definition.ts";
import type { Attributes } from "../values/value.ts";

interface SelectMembers {
  readonly Select?: Select | undefined;
  readonly IndexName?: string | undefined;
  readonly AttributesToGet?: string[] | undefined;
  readonly ProjectionExpression?: string | undefined;
}

/** Checks the members against each other, before the table is known. */
export function checkSelect(input: SelectMembers): void {
  const { Select: select, AttributesToGet: names, ProjectionExpression: projection } = input;
  if (names) refuseDuplicates(names);
  if (select === "ALL_PROJECTED_ATTRIBUTES" && input.IndexName === undefined)
    throw invalidParameters("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
  const member = projection === undefined ? names && "AttributesToGet" : "ProjectionExpression";
  if (select === "SPECIFIC_ATTRIBUTES" && !member)
    throw invalidParameters(
      "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
    );
  if (!member || !select || select === "SPECIFIC_ATTRIBUTES") return;
  const what = select === "COUNT" ? "only the Count" : select;
  throw invalidParameters(`Cannot specify the ${member} when choosing to get ${what}`);
}

/** Refuses an attribute that is asked for twice. */
export function refuseDuplicates(names: readonly string[]): void {
  const repeated = names.find((name, i) => names.indexOf(name) < i);
  if (repeated !== undefined) throw invalidParameters(`Duplicate value in attribute name: ${repeated}`);
}

/** The paths that AttributesToGet or a projection name. */
export function selectedPaths(
  names: readonly string[] | undefined,
  projection: readonly Path[] | undefined,
): readonly Path[] | undefined {
  return projection ?? names?.map((name) => [name]);
}

/** Whether the items have to be read besides the entries of a local index; refuses what a global one does not hold. */
export function readsItemsBesides(
  table: TableDefinition,
  index: IndexDefinition | undefined,
  select: Select | undefined,
  paths: readonly Path[] | undefined,
): boolean {
  const held = index && projectedNames(table, index);
  if (!index || !held) return false;
  if (select === "ALL_ATTRIBUTES") {
    if (!index.isGlobal) return true;
    throw invalidParameters(
      `Select type ALL_ATTRIBUTES is not supported for global secondary index ${index.name} because its projection type is not ALL`,
    );
  }
  const missing = [...new Set((paths ?? []).map(([name]) => name as string))].filter(
    (name) => !held.has(name),
  );
  if (missing.length > 0 && index.isGlobal)
    throw invalidParameters(`Global secondary index ${index.name} does not project [${missing.join(", ")}]`);
  return missing.length > 0;
}

/** The items as they are returned. */
export function selectFrom(items: readonly Attributes[], paths: readonly Path[] | undefined): Attributes[] {
  return paths ? items.map((item) => project(item, paths)) : [...items];
}

/** Finds the index a query or scan names, and refuses what it cannot do. */
export function findIndex(
  table: TableDefinition,
  name: string | undefined,
  isConsistent: boolean | undefined,
): IndexDefinition | undefined {
  if (name === undefined) return undefined;
  const index = table.indexes.find((candidate) => candidate.name === name);
  if (!index) throw invalid(`The table does not have the specified index: ${name}`);
  if (index.isCreating) throw invalid(`Cannot read from backfilling global secondary index: ${name}`);
  if (index.isGlobal && isConsistent)
    throw invalid("Consistent reads are not supported on global secondary indexes");
  return index;
}

/** Refuses paths into key attributes, which are scalars. */
export function refusePathsIntoKeys(table: TableDefinition, paths: readonly Path[]): void {
  const into = new Set(paths.filter((path) => path.length > 1).map(([name]) => name as string));
  if (into.size === 0) return;
  const words = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed";
  for (const { name } of keyAttributes(table.key))
    if (into.has(name)) throw invalid(`${words}: Key: ${name}`);
  for (const index of table.indexes)
    for (const { name } of keyAttributes(index.key))
      if (into.has(name)) throw invalid(`${words}: IndexKey: ${name}`);
}
