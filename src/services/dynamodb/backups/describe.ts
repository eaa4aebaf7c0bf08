/** Backups as the API shows them. */
import type {
  BackupDescription,
  BackupDetails,
  BackupSummary,
  LocalSecondaryIndexInfo,
  SourceTableDetails,
  SourceTableFeatureDetails,
} from "@aws-sdk/client-dynamodb";
import type { Backup } from "../store-backups.ts";
import type { IndexDefinition, Throughput } from "../tables/definition.ts";
import { tableArn } from "../tables/definition.ts";
import { keySchema, projection } from "../tables/describe.ts";
import { backupArn } from "./names.ts";

export function describeBackup(backup: Backup): BackupDescription {
  return {
    BackupDetails: backupDetails(backup),
    SourceTableDetails: sourceDetails(backup),
    SourceTableFeatureDetails: sourceFeatures(backup),
  };
}

export function backupDetails(backup: Backup): BackupDetails {
  return {
    BackupArn: backupArn(backup),
    BackupName: backup.name,
    BackupSizeBytes: backup.bytes,
    BackupStatus: backup.status,
    BackupType: backup.kind,
    BackupCreationDateTime: new Date(backup.createdAt),
    ...(backup.expiresAt > 0 && { BackupExpiryDateTime: new Date(backup.expiresAt) }),
  };
}

export function backupSummary(backup: Backup): BackupSummary {
  return {
    TableName: backup.tableName,
    TableId: backup.table.tableId,
    TableArn: tableArn(backup.table),
    ...backupDetails(backup),
  };
}

function sourceDetails({ table, items, bytes }: Backup): SourceTableDetails {
  return {
    TableName: table.name,
    TableId: table.tableId,
    TableArn: tableArn(table),
    TableSizeBytes: bytes,
    ItemCount: items,
    KeySchema: keySchema(table.key),
    TableCreationDateTime: new Date(table.createdAt),
    ProvisionedThroughput: units(table.throughput),
    BillingMode: table.billing,
  };
}

function sourceFeatures({ table }: Backup): SourceTableFeatureDetails {
  const locals = table.indexes.filter(({ isGlobal }) => !isGlobal);
  const globals = table.indexes.filter(({ isGlobal }) => isGlobal);
  return {
    ...(locals.length > 0 && { LocalSecondaryIndexes: locals.map(indexInfo) }),
    ...(globals.length > 0 && {
      GlobalSecondaryIndexes: globals.map((index) => ({
        ...indexInfo(index),
        ProvisionedThroughput: units(index.throughput),
      })),
    }),
    ...(table.stream?.isEnabled && {
      StreamDescription: { StreamEnabled: true, StreamViewType: table.stream.viewType },
    }),
    ...(table.timeToLive?.isEnabled && {
      TimeToLiveDescription: {
        TimeToLiveStatus: "ENABLED" as const,
        AttributeName: table.timeToLive.attribute,
      },
    }),
  };
}

function indexInfo({ name, key, projection: of }: IndexDefinition): LocalSecondaryIndexInfo {
  return { IndexName: name, KeySchema: keySchema(key), Projection: projection(of) };
}

function units({ read, write }: Throughput): { ReadCapacityUnits: number; WriteCapacityUnits: number } {
  return { ReadCapacityUnits: read, WriteCapacityUnits: write };
}
