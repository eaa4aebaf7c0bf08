/** BatchGetItem: reads up to 100 items of several tables. */
import type { ConsumedCapacity, KeysAndAttributes } from "@aws-sdk/client-dynamodb";
import type { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { project } from "../expressions/project.ts";
import type { Path } from "../expressions/tree.ts";
import { Consumption, readUnits } from "../items/capacity.ts";
import { checkForms, readExpressions } from "../items/expressions.ts";
import { hasDuplicates } from "../items/fingerprint.ts";
import { itemPlace, validateKey } from "../items/keys.ts";
import { refuseDuplicates, refusePathsIntoKeys, selectedPaths } from "../items/selection.ts";
import { getItemRow } from "../store-items.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { validateAttributes } from "../values/validate.ts";
import type { Attributes } from "../values/value.ts";
import type { Client } from "./client.ts";

const KEYS_MAX = 100;
/** The response ends with the item that brings it to this; the other keys are handed back. */
const RESPONSE_BYTES_MAX = 16 * 1024 * 1024;

interface TableRequest {
  readonly name: string;
  readonly members: KeysAndAttributes;
  readonly keys: readonly Attributes[];
  readonly paths: readonly Path[] | undefined;
}

export async function batchGetItem(
  deps: OperationDeps,
  input: Input<Client, "BatchGetItem">,
  context: RequestContext,
): Promise<Output<Client, "BatchGetItem">> {
  const requests = readRequests(input.RequestItems ?? {});
  const tables: TableDefinition[] = [];
  for (const request of requests) {
    const table = await deps.tables.active(request.name, context);
    for (const key of request.keys) validateKey(table, key);
    if (request.paths) refusePathsIntoKeys(table, request.paths);
    tables.push(table);
  }
  const responses: Record<string, Attributes[]> = {};
  const unprocessed: Record<string, KeysAndAttributes> = {};
  const reports: ConsumedCapacity[] = [];
  const refusals = tables.map((table) => deps.throughput.refusalOf(table, "read"));
  if (refusals.length > 0 && refusals.every(Boolean)) throw refusals[0] as AwsError;
  let bytesLeft = RESPONSE_BYTES_MAX;
  for (const [i, request] of requests.entries()) {
    if (refusals[i]) {
      unprocessed[request.name] = request.members;
      continue;
    }
    const read = await readItems(deps, tables[i] as TableDefinition, request, bytesLeft);
    bytesLeft -= read.bytes;
    deps.throughput.charge(tables[i] as TableDefinition, "read", read.consumption);
    responses[request.name] = read.items;
    if (read.rest.length > 0) unprocessed[request.name] = { ...request.members, Keys: read.rest };
    const report = read.consumption.report(input.ReturnConsumedCapacity, request.name);
    if (report) reports.push(report);
  }
  return {
    Responses: responses,
    UnprocessedKeys: unprocessed,
    ConsumedCapacity: reports.length > 0 ? reports : undefined,
  };
}

function readRequests(requestItems: Record<string, KeysAndAttributes>): TableRequest[] {
  const entries = Object.entries(requestItems);
  const requests = entries.map(([name, members]) => {
    checkForms(members, { expressions: ["ProjectionExpression"], legacy: ["AttributesToGet"] });
    if (members.AttributesToGet) refuseDuplicates(members.AttributesToGet);
    const { projection } = readExpressions(members, "current");
    const keys = (members.Keys ?? []).map((key) => validateAttributes(key, "current"));
    if (hasDuplicates(keys)) throw invalid("Provided list of item keys contains duplicates");
    return { name, members, keys, paths: selectedPaths(members.AttributesToGet, projection) };
  });
  refuseMixedForms(entries.map(([, members]) => members));
  if (requests.reduce((sum, { keys }) => sum + keys.length, 0) > KEYS_MAX)
    throw invalid("Too many items requested for the BatchGetItem call");
  return requests;
}

/** Projections and AttributesToGet may not be mixed, even of different tables. */
function refuseMixedForms(members: readonly KeysAndAttributes[]): void {
  const hasNames = members.some(({ AttributesToGet: names }) => names);
  const hasProjection = members.some(({ ProjectionExpression: projection }) => projection !== undefined);
  if (hasNames && hasProjection)
    throw invalid(
      "Can not use both expression and non-expression parameters in the same request: " +
        "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}",
    );
}

interface ReadItems {
  readonly items: Attributes[];
  readonly bytes: number;
  /** Keys there was no room for. */
  readonly rest: Attributes[];
  readonly consumption: Consumption;
}

async function readItems(
  deps: OperationDeps,
  table: TableDefinition,
  { keys, paths, members }: TableRequest,
  bytesLeft: number,
): Promise<ReadItems> {
  const kind = members.ConsistentRead ? "consistent" : "eventual";
  const items: Attributes[] = [];
  const consumption = new Consumption();
  let bytes = 0;
  for (const [i, key] of keys.entries()) {
    if (bytes >= bytesLeft) return { items, bytes, rest: keys.slice(i), consumption };
    const row = await getItemRow(deps.database, itemPlace(table, key));
    consumption.addTable(readUnits(row?.size ?? 0, kind));
    if (!row) continue;
    bytes += row.size;
    items.push(paths ? project(row.item, paths) : row.item);
  }
  return { items, bytes, rest: [], consumption };
}
