/** Key schemas and throughput, as tables and indexes have them. */
import type { CreateTableInput, ProvisionedThroughput } from "@aws-sdk/client-dynamodb";
import { invalid, invalidParameters } from "../errors.ts";
import type { Key, KeyAttribute, Throughput } from "./definition.ts";

const CAPACITY_MAX = 1_000_000_000_000;
export const NO_THROUGHPUT: Throughput = { read: 0, write: 0 };

type KeySchema = NonNullable<CreateTableInput["KeySchema"]>;

/** Reads a key schema whose attributes must have been defined. */
export function readKeySchema(schema: KeySchema, attributes: readonly KeyAttribute[]): Key {
  const [first, second] = schema;
  const names = schema.map(({ AttributeName }) => AttributeName as string);
  if (names.length > 2)
    throw invalid(
      `1 validation error detected: Value '[${schema.map(showElement).join(", ")}]' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2`,
    );
  if (names.length > attributes.length)
    throw invalid("Invalid KeySchema: Some index key attribute have no definition");
  const find = (name: string | undefined) => attributes.find((attribute) => attribute.name === name);
  if (names.some((name) => !find(name)))
    throw invalidParameters(
      "Some index key attributes are not defined in AttributeDefinitions. " +
        `Keys: [${names.join(", ")}], AttributeDefinitions: [${attributes.map(({ name }) => name).join(", ")}]`,
    );
  if (names.length === 2 && names[0] === names[1])
    throw invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name");
  if (first?.KeyType !== "HASH")
    throw invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
  if (second && second.KeyType !== "RANGE")
    throw invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
  return { partition: find(names[0]) as KeyAttribute, sort: find(names[1]) };
}

/** Reads units, both of which must be there. */
export function readUnits({ ReadCapacityUnits, WriteCapacityUnits }: ProvisionedThroughput): Throughput {
  const units = { ReadCapacityUnits: ReadCapacityUnits ?? 0, WriteCapacityUnits: WriteCapacityUnits ?? 0 };
  for (const [name, value] of Object.entries(units))
    if (value > CAPACITY_MAX) throw invalid(`Given value ${value} for ${name} is out of bounds`);
  return { read: units.ReadCapacityUnits, write: units.WriteCapacityUnits };
}

function showElement({ AttributeName, KeyType }: KeySchema[number]): string {
  return `KeySchemaElement(attributeName=${AttributeName}, keyType=${KeyType})`;
}
