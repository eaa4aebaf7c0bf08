/** Scan: reads all items of a table or index, or of one segment of it. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { pathsOf } from "../expressions/condition.ts";
import type { Condition, Path } from "../expressions/tree.ts";
import { checkForms, readExpressions } from "../items/expressions.ts";
import { pageOutput } from "../items/page-output.ts";
import { readPage } from "../items/page.ts";
import {
  checkSelect,
  findIndex,
  readsItemsBesides,
  refusePathsIntoKeys,
  selectedPaths,
} from "../items/selection.ts";
import { startPlace, validateStartKey } from "../items/start-key.ts";
import { checkConditionalOperator, joinComparisons, readComparisons } from "../legacy/conditions.ts";
import type { RowPlace } from "../store-items.ts";
import { rowsAfter } from "../store-items.ts";
import type { IndexDefinition, TableDefinition } from "../tables/definition.ts";
import { AFTER_ALL, segmentStart } from "../values/key-encoding.ts";
import type { Attributes } from "../values/value.ts";
import type { Client } from "./client.ts";

const NO_BYTES: Uint8Array = new Uint8Array();

export async function scan(
  deps: OperationDeps,
  input: Input<Client, "Scan">,
  context: RequestContext,
): Promise<Output<Client, "Scan">> {
  const request = readRequest(input);
  const table = await deps.tables.active(input.TableName as string, context, {
    index: input.IndexName,
  });
  const index = findIndex(table, input.IndexName, input.ConsistentRead);
  const readsItems = readsItemsBesides(table, index, input.Select, request.paths);
  refusePathsIntoKeys(table, [...(request.paths ?? []), ...(request.filter ? pathsOf(request.filter) : [])]);
  const { from, end } = boundsOf(input, table, index, request.startKey);
  deps.throughput.admit(table, "read", index);
  const page = await readPage(deps.database, {
    table,
    index,
    limit: input.Limit,
    filter: request.filter,
    readsItems,
    isConsistent: input.ConsistentRead ?? false,
    rows: (last, count) => rowsAfter(deps.database, last ? { ...last, owner: from.owner } : from, end, count),
  });
  deps.throughput.charge(table, "read", page.consumption);
  return pageOutput(input, { table, index }, page, request.paths);
}

interface Request {
  readonly filter: Condition | undefined;
  readonly paths: readonly Path[] | undefined;
  readonly startKey: Attributes | undefined;
}

function readRequest(input: Input<Client, "Scan">): Request {
  checkForms(input, {
    expressions: ["ProjectionExpression", "FilterExpression"],
    legacy: ["AttributesToGet", "ScanFilter", "ConditionalOperator"],
    namesNullExpressions: true,
  });
  checkSelect(input);
  const legacyFilter = readComparisons(input.ScanFilter, "older");
  checkConditionalOperator(input.ConditionalOperator, legacyFilter.size);
  const startKey = validateStartKey(input.ExclusiveStartKey, "older");
  checkSegment(input);
  const { filter, projection } = readExpressions(input, "older");
  return {
    filter: filter ?? joinComparisons(legacyFilter, input.ConditionalOperator),
    paths: selectedPaths(input.AttributesToGet, projection),
    startKey,
  };
}

function checkSegment({ Segment: segment, TotalSegments: total }: Input<Client, "Scan">): void {
  if (segment !== undefined && total === undefined)
    throw invalid(
      "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
    );
  if (total === undefined) return;
  if (segment === undefined)
    throw invalid(
      "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
    );
  if (segment >= total)
    throw invalid(
      "The Segment parameter is zero-based and must be less than parameter TotalSegments: " +
        `Segment: ${segment} is not less than TotalSegments: ${total}`,
    );
}

/** Where reading begins (after this place) and before which partition it ends. */
function boundsOf(
  { Segment: segment = 0, TotalSegments: total = 1 }: Input<Client, "Scan">,
  table: TableDefinition,
  index: IndexDefinition | undefined,
  startKey: Attributes | undefined,
): { from: RowPlace; end: Uint8Array } {
  const owner = (index ?? table).id;
  const first = total === 1 ? NO_BYTES : segmentStart(segment, total);
  const end = total === 1 ? AFTER_ALL : segmentStart(segment + 1, total);
  if (!startKey) return { from: { owner, partition: first, position: NO_BYTES }, end };
  const from = startPlace(table, index, startKey, true);
  if (Buffer.compare(from.partition, first) < 0 || Buffer.compare(from.partition, end) >= 0)
    throw invalid(
      "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct " +
        `Segment. TotalSegments: ${total} Segment: ${segment}`,
    );
  return { from, end };
}
