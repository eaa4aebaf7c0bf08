/** The definition of a table that is restored: the source's, without what AWS does not restore, and with what is overridden. */
import type {
  GlobalSecondaryIndex,
  LocalSecondaryIndex,
  RestoreTableFromBackupInput,
} from "@aws-sdk/client-dynamodb";
import { notImplemented } from "../../../aws/errors.ts";
import type { Ids } from "../../../kit/id.ts";
import { invalidParameters } from "../errors.ts";
import {
  readThroughput as readIndexThroughput,
  refuseWhatIsNotThere as refuseOfIndex,
} from "../tables/create-indexes.ts";
import { readThroughput } from "../tables/create.ts";
import { newId } from "../tables/definition.ts";
import type { IndexDefinition, RestoredFrom, TableDefinition } from "../tables/definition.ts";
import { keySchema, projection } from "../tables/describe.ts";

/** What both ways of restoring may override. */
export type RestoreOverrides = Pick<
  RestoreTableFromBackupInput,
  | "BillingModeOverride"
  | "GlobalSecondaryIndexOverride"
  | "LocalSecondaryIndexOverride"
  | "OnDemandThroughputOverride"
  | "ProvisionedThroughputOverride"
  | "SSESpecificationOverride"
>;

interface Facts {
  readonly name: string;
  readonly restored: RestoredFrom;
  readonly ids: Ids;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Tags, policies, streams, times to live, recovery and protection are not restored, as with AWS. */
export function restoredDefinition(
  source: TableDefinition,
  overrides: RestoreOverrides,
  { name, restored, ids, now }: Facts,
): TableDefinition {
  refuseWhatIsNotThere(overrides);
  const billing = overrides.BillingModeOverride ?? source.billing;
  const units = overrides.ProvisionedThroughputOverride;
  const throughput =
    units || billing !== source.billing
      ? readThroughput({ ProvisionedThroughput: units }, billing)
      : { read: source.throughput.read, write: source.throughput.write };
  const indexes = chosenIndexes(source, overrides, billing).map((index) => ({ ...index, id: newId(ids) }));
  const used = new Set(
    [source.key, ...indexes.map(({ key }) => key)].flatMap(({ partition, sort }) => [
      partition.name,
      sort?.name,
    ]),
  );
  return {
    account: source.account,
    region: source.region,
    name,
    id: newId(ids),
    tableId: ids.uuid(),
    createdAt: now,
    isDeleting: false,
    attributes: source.attributes.filter((attribute) => used.has(attribute.name)),
    key: source.key,
    billing,
    throughput,
    deletionProtected: false,
    hasTableClass: source.hasTableClass,
    indexes,
    restored,
  };
}

/** The indexes of the source, or those of them that are asked for. */
function chosenIndexes(
  source: TableDefinition,
  overrides: RestoreOverrides,
  billing: TableDefinition["billing"],
): Omit<IndexDefinition, "id">[] {
  const { GlobalSecondaryIndexOverride: globals, LocalSecondaryIndexOverride: locals } = overrides;
  const chosen: Omit<IndexDefinition, "id">[] = [];
  for (const index of source.indexes) {
    const { name, isGlobal, key, projection: projected } = index;
    const asked = isGlobal ? globals : locals;
    const override = asked?.find(({ IndexName }) => IndexName === name);
    if (asked && !override) continue;
    if (override) refuseOther(index, override);
    const mustRead = isGlobal && (override || billing !== source.billing);
    const throughput = mustRead
      ? readIndexThroughput(billing, { ...override, IndexName: name })
      : { read: index.throughput.read, write: index.throughput.write };
    chosen.push({ name, isGlobal, key, projection: projected, throughput });
  }
  const known = (isGlobal: boolean) =>
    new Set(source.indexes.filter((index) => index.isGlobal === isGlobal).map(({ name }) => name));
  for (const [asked, names] of [
    [globals, known(true)],
    [locals, known(false)],
  ] as const)
    for (const { IndexName } of asked ?? [])
      if (!names.has(IndexName ?? ""))
        throw invalidParameters(`The index ${IndexName} is not an index of the table that is restored`);
  return chosen;
}

/** @throws AwsError ValidationException for an index that differs from the source's of that name */
function refuseOther(index: IndexDefinition, override: GlobalSecondaryIndex | LocalSecondaryIndex): void {
  const { KeySchema, Projection } = override;
  const wanted = projection(index.projection);
  const isSame =
    text(KeySchema?.map(({ AttributeName, KeyType }) => [AttributeName, KeyType])) ===
      text(keySchema(index.key).map(({ AttributeName, KeyType }) => [AttributeName, KeyType])) &&
    Projection?.ProjectionType === wanted.ProjectionType &&
    text(Projection.NonKeyAttributes?.toSorted()) === text(wanted.NonKeyAttributes?.toSorted());
  if (!isSame)
    throw invalidParameters(`The index ${index.name} differs from that of the table that is restored`);
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? "";
}

function refuseWhatIsNotThere(overrides: RestoreOverrides): void {
  const { SSESpecificationOverride: sse } = overrides;
  if (sse?.Enabled || sse?.SSEType || sse?.KMSMasterKeyId)
    throw notImplemented("SSESpecificationOverride (encryption by KMS)");
  for (const index of overrides.GlobalSecondaryIndexOverride ?? []) refuseOfIndex(index);
  if (overrides.OnDemandThroughputOverride) throw notImplemented("OnDemandThroughputOverride");
}
