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
import { decreasesToday } from "./update-throughput.ts";

/** Items and their bytes, per owner of rows. */
export interface Counts {
  readonly items: number;
  readonly bytes: number;
}

/** The description; `counts` has the table's and its indexes'. @param now Epoch milliseconds. */
export function describeTable(
  table: TableDefinition,
  status: "CREATING" | "ACTIVE" | "UPDATING" | "DELETING",
  counts: ReadonlyMap<number, Counts>,
  now: number,
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
    ProvisionedThroughput: throughput(table.throughput, now),
    TableSizeBytes: common.bytes,
    ItemCount: common.items,
    TableArn: tableArn(table),
    TableId: table.tableId,
    DeletionProtectionEnabled: table.deletionProtected,
    ...billingSummary(table, status),
    ...describeStream(table),
    ...restoreSummary(table),
    ...(table.hasTableClass && { TableClassSummary: { TableClass: "STANDARD" } }),
    ...(locals.length > 0 && {
      LocalSecondaryIndexes: locals.map((index) => describeIndex(table, index, counts)),
    }),
    ...(globals.length > 0 && {
      GlobalSecondaryIndexes: globals.map((index): GlobalSecondaryIndexDescription => ({
        ...describeIndex(table, index, counts),
        ...indexStatus(index, status),
        ProvisionedThroughput: throughput(index.throughput, now),
      })),
    }),
  };
}

type Status = "CREATING" | "ACTIVE" | "UPDATING" | "DELETING";

/** AWS does not show it of tables that have been provisioned from the beginning. */
function billingSummary(
  table: TableDefinition,
  status: Status,
): Pick<TableDescription, "BillingModeSummary"> {
  const { billing, onDemandSince } = table;
  if (billing === "PROVISIONED" && onDemandSince === undefined) return {};
  const since = onDemandSince ?? (status === "CREATING" ? undefined : table.createdAt);
  return {
    BillingModeSummary: {
      BillingMode: billing,
      ...(since !== undefined && { LastUpdateToPayPerRequestDateTime: new Date(since) }),
    },
  };
}

/** A new index of a table that is there is CREATING until the entries of all items are made. */
function indexStatus(
  { isCreating, isDeleting }: IndexDefinition,
  status: Status,
): Pick<GlobalSecondaryIndexDescription, "IndexStatus" | "Backfilling"> {
  if (isDeleting) return { IndexStatus: "DELETING" };
  if (isCreating && status !== "DELETING") return { IndexStatus: "CREATING", Backfilling: true };
  return { IndexStatus: status === "UPDATING" ? "ACTIVE" : status };
}

function restoreSummary({ restored }: TableDefinition): Pick<TableDescription, "RestoreSummary"> {
  if (!restored) return {};
  const { backupArn, tableArn: sourceArn, at, isUnderWay } = restored;
  return {
    RestoreSummary: {
      ...(backupArn !== undefined && { SourceBackupArn: backupArn }),
      SourceTableArn: sourceArn,
      RestoreDateTime: new Date(at),
      RestoreInProgress: isUnderWay,
    },
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

export function projection(of: Projection): {
  ProjectionType: Projection["type"];
  NonKeyAttributes?: string[];
} {
  if (of.type !== "INCLUDE") return { ProjectionType: of.type };
  return { ProjectionType: of.type, NonKeyAttributes: [...of.attributes] };
}

function throughput(units: Throughput, now: number): ProvisionedThroughputDescription {
  const { read, write, increasedAt, decreasedAt } = units;
  return {
    NumberOfDecreasesToday: decreasesToday(units, now),
    ReadCapacityUnits: read,
    WriteCapacityUnits: write,
    ...(increasedAt !== undefined && { LastIncreaseDateTime: new Date(increasedAt) }),
    ...(decreasedAt !== undefined && { LastDecreaseDateTime: new Date(decreasedAt) }),
  };
}
