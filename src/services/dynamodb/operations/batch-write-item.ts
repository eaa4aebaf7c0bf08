/** BatchWriteItem: puts and deletes up to 25 items of several tables. */
import type { ConsumedCapacity, ItemCollectionMetrics, WriteRequest } from "@aws-sdk/client-dynamodb";
import type { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { Consumption } from "../items/capacity.ts";
import { collectionMetrics } from "../items/collection-metrics.ts";
import { hasDuplicates } from "../items/fingerprint.ts";
import { itemPlace, keyOf, validateIndexKeys, validateItemKeys, validateKey } from "../items/keys.ts";
import type { Write } from "../items/write.ts";
import { applyWrite, checkItemSize, writeTogether } from "../items/write.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { keyAttributes } from "../tables/definition.ts";
import { validateAttributes } from "../values/validate.ts";
import type { Attributes } from "../values/value.ts";
import type { Client } from "./client.ts";
import { reportsCapacity } from "./put-item.ts";

const REQUESTS_MAX = 25;

/** One checked put (with `item`) or delete. */
interface ItemRequest {
  readonly attributes: Attributes;
  readonly isPut: boolean;
}

interface TableRequest {
  readonly name: string;
  readonly requests: readonly ItemRequest[];
}

export async function batchWriteItem(
  deps: OperationDeps,
  input: Input<Client, "BatchWriteItem">,
  context: RequestContext,
): Promise<Output<Client, "BatchWriteItem">> {
  const requested = readRequests(input.RequestItems ?? {});
  const needsPresent = reportsCapacity(input);
  const all: { readonly name: string; readonly table: TableDefinition; readonly writes: Write[] }[] = [];
  for (const { name, requests: ofTable } of requested) {
    const table = await deps.tables.active(name, context);
    checkRequests(table, ofTable);
    all.push({ name, table, writes: ofTable.map((request) => toWrite(table, request, needsPresent)) });
  }
  const refusals = all.map(({ table }) => deps.throughput.refusalOf(table, "write"));
  if (refusals.length > 0 && refusals.every(Boolean)) throw refusals[0] as AwsError;
  const writes = all.filter((_, i) => !refusals[i]);
  const requests = requested.filter((_, i) => !refusals[i]);
  const unprocessed = requested.flatMap(({ name }, i) =>
    refusals[i] ? [[name, input.RequestItems?.[name] ?? []] as const] : [],
  );
  // AWS writes the items one by one; here they are written together, so that none of a table is left over.
  const consumptions = await writeTogether(deps, async (writing) => {
    const perTable: Consumption[] = [];
    for (const { table: found, writes: ofTable } of writes) {
      const table = await deps.tables.current(writing.transaction, found);
      const consumption = new Consumption();
      for (const write of ofTable)
        consumption.add((await applyWrite(writing, { ...write, table })).consumption);
      perTable.push(consumption);
    }
    return perTable;
  });
  for (const [i, { table }] of writes.entries())
    deps.throughput.charge(table, "write", consumptions[i] as Consumption);
  const reports = writes.map(({ name }, i) => consumptions[i]?.report(input.ReturnConsumedCapacity, name));
  return {
    UnprocessedItems: Object.fromEntries(unprocessed),
    ConsumedCapacity: reports.some(Boolean) ? (reports as ConsumedCapacity[]) : undefined,
    ItemCollectionMetrics: await metricsOf(
      deps,
      input,
      requests,
      writes.map(({ table }) => table),
    ),
  };
}

function readRequests(requestItems: Record<string, WriteRequest[]>): TableRequest[] {
  const tables = Object.entries(requestItems);
  for (const [, requests] of tables)
    if (
      requests.some(({ PutRequest: put, DeleteRequest: del }) => (put === undefined) === (del === undefined))
    )
      throw invalid(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
      );
  if (tables.reduce((sum, [, requests]) => sum + requests.length, 0) > REQUESTS_MAX)
    throw invalid("Too many items requested for the BatchWriteItem call");
  return tables.map(([name, requests]) => ({ name, requests: requests.map(readRequest) }));
}

function readRequest({ PutRequest: put, DeleteRequest: del }: WriteRequest): ItemRequest {
  if (!put) return { attributes: validateAttributes(del?.Key as Attributes, "older"), isPut: false };
  const attributes = validateAttributes(put.Item as Attributes, "older");
  checkItemSize(attributes);
  return { attributes, isPut: true };
}

function checkRequests(table: TableDefinition, requests: readonly ItemRequest[]): void {
  for (const { attributes, isPut } of requests) {
    if (!isPut) validateKey(table, attributes);
    else {
      validateItemKeys(table, attributes, true);
      validateIndexKeys(table, attributes);
    }
  }
  if (hasDuplicates(requests.map(({ attributes }) => keyOf(keyAttributes(table.key), attributes))))
    throw invalid("Provided list of item keys contains duplicates");
}

function toWrite(table: TableDefinition, { attributes, isPut }: ItemRequest, needsPresent: boolean): Write {
  return {
    table,
    place: itemPlace(table, attributes),
    needsPresent,
    next: () => (isPut ? attributes : undefined),
  };
}

async function metricsOf(
  deps: OperationDeps,
  input: Input<Client, "BatchWriteItem">,
  requests: readonly TableRequest[],
  tables: readonly TableDefinition[],
): Promise<Record<string, ItemCollectionMetrics[]> | undefined> {
  if (input.ReturnItemCollectionMetrics !== "SIZE") return undefined;
  const metrics: Record<string, ItemCollectionMetrics[]> = {};
  for (const [i, { name, requests: ofTable }] of requests.entries())
    for (const { attributes } of ofTable) {
      const table = tables[i] as TableDefinition;
      const one = await collectionMetrics(deps, table, attributes, "SIZE");
      if (one) (metrics[name] ??= []).push(one);
    }
  return metrics;
}
