/** Query: reads items of one partition of a table or index, in the order of the sort key. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { isSatisfied } from "../expressions/evaluate.ts";
import { pathsOf } from "../expressions/condition.ts";
import type { Condition, Path } from "../expressions/tree.ts";
import { checkForms, readExpressions } from "../items/expressions.ts";
import type { KeyQuery } from "../items/key-condition.ts";
import { comparisonsOf, readKeyQuery } from "../items/key-condition.ts";
import { pageOutput } from "../items/page-output.ts";
import { readPage } from "../items/page.ts";
import { positionsAfter, positionsOf } from "../items/position-range.ts";
import {
  checkSelect,
  findIndex,
  readsItemsBesides,
  refusePathsIntoKeys,
  selectedPaths,
} from "../items/selection.ts";
import { startPlace, validateStartKey } from "../items/start-key.ts";
import type { Comparison } from "../legacy/conditions.ts";
import { checkConditionalOperator, joinComparisons, readComparisons } from "../legacy/conditions.ts";
import { rowsInRange } from "../store-items.ts";
import type { IndexDefinition, Key, TableDefinition } from "../tables/definition.ts";
import { keyAttributes } from "../tables/definition.ts";
import { encodeKeyValue, encodePartition } from "../values/key-encoding.ts";
import { valuesEqual } from "../values/compare.ts";
import type { AttributeValue, Attributes } from "../values/value.ts";
import type { Client } from "./client.ts";

export async function query(
  deps: OperationDeps,
  input: Input<Client, "Query">,
  context: RequestContext,
): Promise<Output<Client, "Query">> {
  const request = readRequest(input);
  const table = await deps.tables.active(input.TableName as string, context, {
    index: input.IndexName,
  });
  const index = findIndex(table, input.IndexName, input.ConsistentRead);
  const key = (index ?? table).key;
  const keyQuery = readKeyQuery(request.comparisons, key);
  checkFilter(input, request, key);
  refusePathsIntoKeys(table, [...(request.paths ?? []), ...(request.filter ? pathsOf(request.filter) : [])]);
  const isForward = input.ScanIndexForward ?? true;
  const owner = (index ?? table).id;
  const partition = encodePartition(encodeKeyValue(keyQuery.partition));
  const all = positionsOf(keyQuery.sort, index !== undefined);
  const start = request.startKey && startOf(table, index, request.startKey, { key, keyQuery });
  deps.throughput.admit(table, "read", index);
  const page = await readPage(deps.database, {
    table,
    index,
    limit: input.Limit,
    filter: request.filter,
    readsItems: readsItemsBesides(table, index, input.Select, request.paths),
    isConsistent: input.ConsistentRead ?? false,
    rows(last, count) {
      const after = last?.position ?? start;
      const positions = after ? positionsAfter(all, after, isForward) : all;
      return rowsInRange(deps.database, { owner, partition, ...positions }, isForward, count);
    },
  });
  deps.throughput.charge(table, "read", page.consumption);
  return pageOutput(input, { table, index }, page, request.paths);
}

interface Request {
  readonly comparisons: ReadonlyMap<string, Comparison>;
  readonly filter: Condition | undefined;
  readonly filterNames: ReadonlySet<string>;
  readonly paths: readonly Path[] | undefined;
  readonly startKey: Attributes | undefined;
}

function readRequest(input: Input<Client, "Query">): Request {
  checkForms(input, {
    expressions: ["ProjectionExpression", "FilterExpression", "KeyConditionExpression"],
    legacy: ["AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"],
    namesNullExpressions: true,
  });
  const legacyFilter = readComparisons(input.QueryFilter, "current");
  checkConditionalOperator(input.ConditionalOperator, legacyFilter.size);
  checkSelect(input);
  const startKey = validateStartKey(input.ExclusiveStartKey, "current");
  if (!input.KeyConditions && input.KeyConditionExpression === undefined)
    throw invalid(
      "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
    );
  const { keyCondition, filter, projection } = readExpressions(input, "current");
  const comparisons = keyCondition
    ? comparisonsOf(keyCondition)
    : readComparisons(input.KeyConditions, "current");
  if (!keyCondition && comparisons.size !== 1 && comparisons.size !== 2)
    throw invalid("Conditions can be of length 1 or 2 only");
  const filterNames = filter ? pathsOf(filter).map(([name]) => name as string) : legacyFilter.keys();
  return {
    comparisons,
    filter: filter ?? joinComparisons(legacyFilter, input.ConditionalOperator),
    filterNames: new Set(filterNames),
    paths: selectedPaths(input.AttributesToGet, projection),
    startKey,
  };
}

/** A filter cannot be about the keys of what is queried: that is for the key condition. */
function checkFilter(input: Input<Client, "Query">, { filterNames }: Request, key: Key): void {
  const member = input.QueryFilter ? "QueryFilter" : "Filter Expression";
  for (const { name } of keyAttributes(key))
    if (filterNames.has(name))
      throw invalid(`${member} can only contain non-primary key attributes: Primary key attribute: ${name}`);
}

/** The position a start key names, which must lie within what is queried. */
function startOf(
  table: TableDefinition,
  index: IndexDefinition | undefined,
  startKey: Attributes,
  { key, keyQuery }: { readonly key: Key; readonly keyQuery: KeyQuery },
): Uint8Array {
  const { position } = startPlace(table, index, startKey, false);
  const isInPartition = valuesEqual(startKey[key.partition.name] as AttributeValue, keyQuery.partition);
  if (key.sort && keyQuery.sort) {
    const condition = joinComparisons(new Map([[key.sort.name, keyQuery.sort]]), undefined);
    if (condition && !isSatisfied(condition, startKey))
      throw invalid("The provided starting key does not match the range key predicate");
    if (!isInPartition) throw invalid("The query can return at most one row and cannot be restarted");
  } else if (!isInPartition)
    throw invalid("The provided starting key is outside query boundaries based on provided conditions");
  return position;
}
