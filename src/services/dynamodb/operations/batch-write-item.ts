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
  const { refusals, refused, consumptions } = await writeAdmitted(deps, all);
  const isAny =
    refusals.length === 0 || all.some(({ writes }) => writes.some((write) => !refused.has(write)));
  if (!isAny) throw refusals[0] as AwsError;
  const unprocessed = requested.flatMap(({ name }, i) => {
    const left = (input.RequestItems?.[name] ?? []).filter((_, at) =>
      refused.has(all[i]?.writes[at] as Write),
    );
    return left.length > 0 ? [[name, left] as const] : [];
  });
  for (const [i, { table }] of all.entries())
    deps.throughput.charge(table, "write", consumptions[i] as Consumption);
  const reports = all.map(({ name }, i) => consumptions[i]?.report(input.ReturnConsumedCapacity, name));
  return {
    UnprocessedItems: Object.fromEntries(unprocessed),
    ConsumedCapacity: reports.some(Boolean) ? (reports as ConsumedCapacity[]) : undefined,
    ItemCollectionMetrics: await metricsOf(
      deps,
      input,
      requested.map(({ name, requests }, i) => ({
        name,
        requests: requests.filter((_, at) => !refused.has(all[i]?.writes[at] as Write)),
      })),
      all.map(({ table }) => table),
    ),
  };
}

/** The writes to one table. */
interface TableWrites {
  readonly table: TableDefinition;
  readonly writes: readonly Write[];
}

/** Some of the writes need more of a global index than is left: what they would have done is not done. */
class IndexesSpent extends Error {}

/**
 * Writes what the tables and their global indexes have throughput for. AWS writes the items one by one; here they are written together.
 * What a write takes of indexes shows when it runs, so that others then run again without it.
 */
async function writeAdmitted(
  deps: OperationDeps,
  all: readonly TableWrites[],
): Promise<{
  readonly refusals: readonly AwsError[];
  readonly refused: ReadonlySet<Write>;
  readonly consumptions: readonly Consumption[];
}> {
  const refused = new Set<Write>();
  const refusals: AwsError[] = [];
  for (const { table, writes } of all) {
    const refusal = deps.throughput.refusalOf(table, "write");
    if (!refusal) continue;
    refusals.push(refusal);
    for (const write of writes) refused.add(write);
  }
  for (;;)
    try {
      const consumptions = await writeTogether(deps, async (writing) => {
        const perTable: Consumption[] = [];
        const before = refused.size;
        for (const { table: found, writes } of all) {
          const consumption = new Consumption();
          perTable.push(consumption);
          const admitted = writes.filter((write) => !refused.has(write));
          if (admitted.length === 0) continue;
          const table = await deps.tables.current(writing.transaction, found);
          for (const write of admitted) {
            const applied = await applyWrite(writing, { ...write, table });
            const refusal = deps.throughput.refusalOfIndexes(table, applied.consumption);
            if (!refusal) consumption.add(applied.consumption);
            else {
              refusals.push(refusal);
              refused.add(write);
            }
          }
        }
        if (refused.size > before) throw new IndexesSpent();
        return perTable;
      });
      return { refusals, refused, consumptions };
    } catch (error) {
      if (!(error instanceof IndexesSpent)) throw error;
    }
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
