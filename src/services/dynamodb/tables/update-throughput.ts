/** Changes of provisioned throughput and of the billing mode. */
import type { UpdateTableInput } from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../aws/errors.ts";
import { invalid } from "../errors.ts";
import { readThroughput as readIndexThroughput } from "./create-indexes.ts";
import { readThroughput } from "./create.ts";
import type { IndexDefinition, TableDefinition, Throughput } from "./definition.ts";
import { NO_THROUGHPUT } from "./key-schema.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const HOUR_MS = 60 * 60 * 1000;
/** Decreases of a UTC day that are free; after them one an hour. */
const DECREASES_FREE = 4;

/** The table with the billing and the units that a request asks for. @param now Epoch milliseconds. */
export function withThroughput(
  table: TableDefinition,
  input: UpdateTableInput,
  now: number,
): TableDefinition {
  const billing = input.BillingMode ?? table.billing;
  const isSwitch = billing !== table.billing;
  const indexUpdates = new Map(
    (input.GlobalSecondaryIndexUpdates ?? []).flatMap(({ Update: update }) =>
      update ? [[update.IndexName as string, update] as const] : [],
    ),
  );
  for (const name of indexUpdates.keys())
    if (!table.indexes.some((index) => index.isGlobal && index.name === name))
      throw new AwsError("ResourceNotFoundException", "Requested resource not found");
  if (isSwitch && billing === "PAY_PER_REQUEST") {
    readThroughput(input, billing);
    return {
      ...table,
      billing,
      onDemandSince: now,
      throughput: NO_THROUGHPUT,
      indexes: table.indexes.map((index) => ({ ...index, throughput: NO_THROUGHPUT })),
    };
  }
  const hasUnits = input.ProvisionedThroughput !== undefined || isSwitch;
  const throughput = hasUnits
    ? changed(table.throughput, readThroughput(input, billing), { kind: "table", name: table.name }, now)
    : table.throughput;
  const indexes = table.indexes.map((index): IndexDefinition => {
    const update = indexUpdates.get(index.name);
    if (!index.isGlobal || (!update && !isSwitch)) return index;
    const units = readIndexThroughput(billing, { IndexName: index.name, ...update });
    return {
      ...index,
      throughput: changed(index.throughput, units, { kind: "index", name: index.name }, now),
    };
  });
  return { ...table, billing, throughput, indexes };
}

/** How often units were decreased on the UTC day of a time. */
export function decreasesToday({ decreasedAt = 0, decreases = 0 }: Throughput, now: number): number {
  return Math.floor(decreasedAt / DAY_MS) === Math.floor(now / DAY_MS) ? decreases : 0;
}

function changed(
  before: Throughput,
  after: Throughput,
  what: { readonly kind: "table" | "index"; readonly name: string },
  now: number,
): Throughput {
  const { read, write } = after;
  if (read === before.read && write === before.write)
    throw invalid(
      `The provisioned throughput for the ${what.kind} will not change. The requested value equals the current value. ` +
        `Current ReadCapacityUnits provisioned for the ${what.kind}: ${before.read}. Requested ReadCapacityUnits: ${read}. ` +
        `Current WriteCapacityUnits provisioned for the ${what.kind}: ${before.write}. Requested WriteCapacityUnits: ${write}. ` +
        "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
    );
  const isIncrease = read > before.read || write > before.write;
  const isDecrease = read < before.read || write < before.write;
  const decreases = decreasesToday(before, now);
  if (isDecrease && decreases >= DECREASES_FREE && now - (before.decreasedAt ?? 0) < HOUR_MS)
    throw new AwsError(
      "LimitExceededException",
      "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. " +
        "After the first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 seconds. " +
        `Number of decreases today: ${decreases}. Last decrease of ${what.kind} ${what.name} at ${new Date(before.decreasedAt ?? 0).toISOString()}.`,
    );
  return {
    ...before,
    read,
    write,
    ...(isIncrease && { increasedAt: now }),
    ...(isDecrease && { decreasedAt: now, decreases: decreases + 1 }),
  };
}
