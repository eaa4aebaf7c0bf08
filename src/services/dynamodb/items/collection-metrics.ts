/** ItemCollectionMetrics: the size of all items of one partition, and of their entries in local indexes. */
import type { ItemCollectionMetrics, ReturnItemCollectionMetrics } from "@aws-sdk/client-dynamodb";
import type { Reader } from "../../../store/database.ts";
import { partitionBytes } from "../store-items.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { encodeKeyValue, encodePartition } from "../values/key-encoding.ts";
import type { AttributeValue, Attributes } from "../values/value.ts";

const GIGABYTE = 1024 ** 3;

/** The metrics, for tables with local indexes and when they are asked for. */
export async function collectionMetrics(
  { database }: { readonly database: Reader },
  table: TableDefinition,
  key: Attributes,
  wanted: ReturnItemCollectionMetrics | undefined,
): Promise<ItemCollectionMetrics | undefined> {
  const locals = table.indexes.filter(({ isGlobal }) => !isGlobal);
  if (wanted !== "SIZE" || locals.length === 0) return undefined;
  const value = key[table.key.partition.name] as AttributeValue;
  const partition = encodePartition(encodeKeyValue(value));
  let bytes = 0;
  for (const { id } of [table, ...locals]) bytes += await partitionBytes(database, id, partition);
  const gigabytes = Math.floor(bytes / GIGABYTE);
  return {
    ItemCollectionKey: { [table.key.partition.name]: value },
    SizeEstimateRangeGB: [gigabytes, gigabytes + 1],
  };
}
