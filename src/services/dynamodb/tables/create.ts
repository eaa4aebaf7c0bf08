/** Checks a CreateTable request in the order in which DynamoDB reports its faults, and makes the definition. */
import type { CreateTableInput } from "@aws-sdk/client-dynamodb";
import { notImplemented } from "../../../aws/errors.ts";
import type { Ids } from "../../../kit/id.ts";
import { invalid, invalidParameters } from "../errors.ts";
import type { KeyAttributeType } from "../values/value.ts";
import { readIndexes } from "./create-indexes.ts";
import { newId } from "./definition.ts";
import type { Key, KeyAttribute, TableDefinition, Throughput } from "./definition.ts";
import { NO_THROUGHPUT, readKeySchema, readUnits } from "./key-schema.ts";

/** The members of a request that are read. */
const MEMBERS: ReadonlySet<string> = new Set<keyof CreateTableInput>([
  "AttributeDefinitions",
  "BillingMode",
  "DeletionProtectionEnabled",
  "GlobalSecondaryIndexes",
  "KeySchema",
  "LocalSecondaryIndexes",
  "ProvisionedThroughput",
  "ResourcePolicy",
  "SSESpecification",
  "StreamSpecification",
  "TableClass",
  "TableName",
  "Tags",
]);

/** The definition a request asks for. */
export function defineTable(
  input: CreateTableInput,
  place: { readonly account: string; readonly region: string; readonly name: string },
  { ids, now }: { readonly ids: Ids; readonly now: number },
): TableDefinition {
  refuseWhatIsNotThere(input);
  const { AttributeDefinitions: definitions, KeySchema: schema } = input;
  if (!definitions || !schema) throw missingMembers(input);
  const billing = input.BillingMode ?? "PROVISIONED";
  const throughput = readThroughput(input, billing);
  const attributes = readDefinitions(definitions);
  const key = readKeySchema(schema, attributes);
  const isAlone = !input.LocalSecondaryIndexes && !input.GlobalSecondaryIndexes;
  if (isAlone && schema.length !== attributes.length)
    throw invalidParameters(
      "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
    );
  const indexes = readIndexes(input, { key, attributes, newId: () => newId(ids) });
  refuseUnusedDefinitions(attributes, [key, ...indexes.map((index) => index.key)]);
  return {
    ...place,
    id: newId(ids),
    tableId: ids.uuid(),
    createdAt: now,
    isDeleting: false,
    attributes,
    key,
    billing,
    throughput,
    deletionProtected: input.DeletionProtectionEnabled ?? false,
    hasTableClass: input.TableClass !== undefined,
    indexes,
  };
}

/** Attribute definitions, each of which may be there once. */
export function readDefinitions(
  definitions: NonNullable<CreateTableInput["AttributeDefinitions"]>,
): KeyAttribute[] {
  const attributes = definitions.map(({ AttributeName, AttributeType }): KeyAttribute => ({
    name: AttributeName as string,
    type: AttributeType as KeyAttributeType,
  }));
  refuseDuplicateDefinitions(attributes);
  return attributes;
}

function missingMembers(input: CreateTableInput): Error {
  const missing = [
    ...(input.AttributeDefinitions ? [] : ["attributeDefinitions"]),
    ...(input.KeySchema ? [] : ["keySchema"]),
  ];
  const faults = missing.map(
    (name) => `Value null at '${name}' failed to satisfy constraint: Member must not be null`,
  );
  return invalid(
    `${faults.length} validation error${faults.length > 1 ? "s" : ""} detected: ${faults.join("; ")}`,
  );
}

/** A table's units, which it has with provisioned billing and no other. */
export function readThroughput(
  input: Pick<CreateTableInput, "ProvisionedThroughput">,
  billing: string,
): Throughput {
  const { ProvisionedThroughput: units } = input;
  if (billing === "PAY_PER_REQUEST") {
    if (units)
      throw invalidParameters(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
      );
    return NO_THROUGHPUT;
  }
  if (!units?.ReadCapacityUnits || !units.WriteCapacityUnits)
    throw invalidParameters(
      "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
    );
  return readUnits(units);
}

function refuseDuplicateDefinitions(attributes: readonly KeyAttribute[]): void {
  const repeated = attributes.find(({ name }, i) => attributes.findIndex((other) => other.name === name) < i);
  if (repeated) throw invalidParameters(`Duplicate AttributeName in AttributeDefinitions: ${repeated.name}`);
}

export function refuseUnusedDefinitions(attributes: readonly KeyAttribute[], keys: readonly Key[]): void {
  const used = new Set(keys.flatMap(({ partition, sort }) => [partition.name, sort?.name]));
  const names = attributes.map(({ name }) => name);
  if (names.every((name) => used.has(name))) return;
  throw invalidParameters(
    "Some AttributeDefinitions are not used. " +
      `AttributeDefinitions: [${names.join(", ")}], keys used: [${[...used].filter(Boolean).join(", ")}]`,
  );
}

/** What Lambent does not implement of tables, by name. */
function refuseWhatIsNotThere(input: CreateTableInput): void {
  const { SSESpecification: sse } = input;
  if (sse?.Enabled || sse?.SSEType || sse?.KMSMasterKeyId)
    throw notImplemented("SSESpecification of CreateTable (encryption by KMS)");
  if (input.TableClass === "STANDARD_INFREQUENT_ACCESS")
    throw notImplemented("TableClass STANDARD_INFREQUENT_ACCESS");
  for (const [member, value] of Object.entries(input))
    if (value !== undefined && !MEMBERS.has(member)) throw notImplemented(`${member} of CreateTable`);
}
