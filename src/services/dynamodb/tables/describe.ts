/** A table as CreateTable, DescribeTable and DeleteTable show it. */
import type {
  GlobalSecondaryIndexDescription,
  KeySchemaElement,
  LocalSecondaryIndexDescription,
  ProvisionedThroughputDescription,
  TableDescription,
} from "@aws-sdk/client-dynamodb";
import { streamArn } from "../streams/names.ts";
import type { IndexDefinition, Key, Projection, TableDefinition, Throughput } from "./definition.ts";
import { tableArn } from "./definition.ts";

/** Items and their bytes, per owner of rows. */
export interface Counts {
  readonly items: number;
  readonly bytes: number;
}

/** The description; `counts` has the table's and its indexes'. */
export function describeTable(
  table: TableDefinition,
  status: "CREATING" | "ACTIVE" | "DELETING",
  counts: ReadonlyMap<number, Counts>,
): TableDescription {
  const common = { items: 0, bytes: 0, ...counts.get(table.id) };
  const locals = table.indexes.filter(({ isGlobal }) => !isGlobal);
  const globals = table.indexes.filter(({ isGlobal }) => isGlobal);
  return {
    AttributeDefinitions: table.attributes.map(({ name, type }) => ({
      AttributeName: name,
      AttributeType: type,
    })),
    TableName: table.name,
    KeySchema: keySchema(table.key),
    TableStatus: status,
    CreationDateTime: new Date(table.createdAt),
    ProvisionedThroughput: throughput(table.throughput),
    TableSizeBytes: common.bytes,
    ItemCount: common.items,
    TableArn: tableArn(table),
    TableId: table.tableId,
    DeletionProtectionEnabled: table.deletionProtected,
    ...(table.billing === "PAY_PER_REQUEST" && {
      BillingModeSummary: {
        BillingMode: table.billing,
        ...(status !== "CREATING" && { LastUpdateToPayPerRequestDateTime: new Date(table.createdAt) }),
      },
    }),
    ...describeStream(table),
    ...(table.hasTableClass && { TableClassSummary: { TableClass: "STANDARD" } }),
    ...(locals.length > 0 && {
      LocalSecondaryIndexes: locals.map((index) => describeIndex(table, index, counts)),
    }),
    ...(globals.length > 0 && {
      GlobalSecondaryIndexes: globals.map((index): GlobalSecondaryIndexDescription => ({
        ...describeIndex(table, index, counts),
        IndexStatus: status,
        ProvisionedThroughput: throughput(index.throughput),
      })),
    }),
  };
}

/** The stream; of one that has been disabled its name alone. */
function describeStream({ stream, ...table }: TableDefinition): Partial<TableDescription> {
  if (!stream) return {};
  return {
    ...(stream.isEnabled && {
      StreamSpecification: { StreamEnabled: true, StreamViewType: stream.viewType },
    }),
    LatestStreamLabel: stream.label,
    LatestStreamArn: streamArn({ ...table, table: table.name, label: stream.label }),
  };
}

function describeIndex(
  table: TableDefinition,
  index: IndexDefinition,
  counts: ReadonlyMap<number, Counts>,
): LocalSecondaryIndexDescription {
  const { items, bytes } = { items: 0, bytes: 0, ...counts.get(index.id) };
  return {
    IndexName: index.name,
    KeySchema: keySchema(index.key),
    Projection: projection(index.projection),
    IndexSizeBytes: bytes,
    ItemCount: items,
    IndexArn: `${tableArn(table)}/index/${index.name}`,
  };
}

/** A key as the API writes it. */
export function keySchema({ partition, sort }: Key): KeySchemaElement[] {
  const elements: KeySchemaElement[] = [{ AttributeName: partition.name, KeyType: "HASH" }];
  if (sort) elements.push({ AttributeName: sort.name, KeyType: "RANGE" });
  return elements;
}

function projection(of: Projection): { ProjectionType: Projection["type"]; NonKeyAttributes?: string[] } {
  if (of.type !== "INCLUDE") return { ProjectionType: of.type };
  return { ProjectionType: of.type, NonKeyAttributes: [...of.attributes] };
}

function throughput({ read, write }: Throughput): ProvisionedThroughputDescription {
  return { NumberOfDecreasesToday: 0, ReadCapacityUnits: read, WriteCapacityUnits: write };
}
