/** The keys of items and index entries: what is valid, and where the rows are. */
import { invalid, invalidParameters } from "../errors.ts";
import type { RowPlace } from "../store-items.ts";
import type { IndexDefinition, KeyAttribute, TableDefinition } from "../tables/definition.ts";
import { keyAttributes, projectedNames } from "../tables/definition.ts";
import { encodeKeyValue, encodePartition, encodeSegment } from "../values/key-encoding.ts";
import { itemSize, textBytes } from "../values/size.ts";
import type { AttributeValue, Attributes } from "../values/value.ts";
import { emptyAttributes, typeOf } from "../values/value.ts";

/** The largest partition key and sort key, in bytes. */
export const PARTITION_KEY_BYTES_MAX = 2048;
export const SORT_KEY_BYTES_MAX = 1024;

const NO_BYTES: Uint8Array = new Uint8Array();
const SCHEMA_MISMATCH = "The provided key element does not match the schema";
const NOT_VALID = "One or more parameter values are not valid.";

/** Checks the `Key` of a request: exactly the table's key attributes, of their types. */
export function validateKey(table: TableDefinition, key: Attributes): void {
  const attributes = keyAttributes(table.key);
  if (Object.keys(key).length !== attributes.length) throw invalid(SCHEMA_MISMATCH);
  for (const attribute of attributes) {
    const value = own(key, attribute.name);
    if (!value || typeOf(value) !== attribute.type) throw invalid(SCHEMA_MISMATCH);
    refuseEmptyKey(attribute, value);
  }
  checkKeySizes(table, key);
}

/** Checks the key attributes within an item to be put. BatchWriteItem words a wrong one as a wrong key. */
export function validateItemKeys(table: TableDefinition, item: Attributes, isBatch = false): void {
  for (const attribute of keyAttributes(table.key)) {
    const value = own(item, attribute.name);
    if (isBatch && (!value || typeOf(value) !== attribute.type)) throw invalid(SCHEMA_MISMATCH);
    if (!value) throw invalidParameters(`Missing the key ${attribute.name} in the item`);
    if (typeOf(value) !== attribute.type)
      throw invalidParameters(
        `Type mismatch for key ${attribute.name} expected: ${attribute.type} actual: ${typeOf(value)}`,
      );
    refuseEmptyKey(attribute, value);
  }
  checkKeySizes(table, item);
}

/**
 * Checks the attributes of an item that are keys of indexes: absent, or of the right type and not empty. Of an update
 * the names are given whose values it has computed, for which DynamoDB has other words.
 */
export function validateIndexKeys(
  table: TableDefinition,
  item: Attributes,
  computed?: ReadonlySet<string>,
): void {
  if (table.indexes.length === 0) return;
  for (const index of table.indexes.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const attribute of keyAttributes(index.key)) {
      const value = own(item, attribute.name);
      if (value) validateIndexKey(index, attribute, value, computed);
    }
  }
}

function validateIndexKey(
  index: IndexDefinition,
  { name, type }: KeyAttribute,
  value: AttributeValue,
  computed: ReadonlySet<string> | undefined,
): void {
  if (typeOf(value) !== type && computed?.has(name))
    throw invalid("The update expression attempted to update the secondary index key to unsupported type");
  if (typeOf(value) !== type)
    throw invalidParameters(
      `Type mismatch for Index Key ${name} Expected: ${type} Actual: ${typeOf(value)} IndexName: ${index.name}`,
    );
  const empty = emptyKind(value);
  if (empty && computed)
    throw invalid(
      `${NOT_VALID} The update expression attempted to update a secondary index key to a value that is not ` +
        `supported. The AttributeValue for a key attribute cannot contain an empty ${empty} value.`,
    );
  if (empty)
    throw invalid(
      `${NOT_VALID} A value specified for a secondary index key is not supported. The AttributeValue for a key ` +
        `attribute cannot contain an empty ${empty} value. IndexName: ${index.name}, IndexKey: ${name}`,
    );
  checkKeySize(value, name === index.key.partition.name);
}

/** Refuses an empty text or binary value as a key. */
function refuseEmptyKey({ name }: KeyAttribute, value: AttributeValue): void {
  const empty = emptyKind(value);
  if (empty)
    throw invalid(
      `${NOT_VALID} The AttributeValue for a key attribute cannot contain an empty ${empty} value. Key: ${name}`,
    );
}

function emptyKind(value: AttributeValue): "string" | "binary" | undefined {
  if (value.S === "") return "string";
  return value.B?.length === 0 ? "binary" : undefined;
}

function checkKeySizes(table: TableDefinition, attributes: Attributes): void {
  checkKeySize(attributes[table.key.partition.name] as AttributeValue, true);
  if (table.key.sort) checkKeySize(attributes[table.key.sort.name] as AttributeValue, false);
}

function checkKeySize(value: AttributeValue, isPartition: boolean): void {
  const bytes = value.S === undefined ? (value.B?.length ?? 0) : textBytes(value.S);
  // The missing space is AWS's.
  if (isPartition && bytes > PARTITION_KEY_BYTES_MAX)
    throw invalidParameters(
      `Size of hashkey has exceeded the maximum size limit of${PARTITION_KEY_BYTES_MAX} bytes`,
    );
  if (!isPartition && bytes > SORT_KEY_BYTES_MAX)
    throw invalidParameters(
      `Aggregated size of all range keys has exceeded the size limit of ${SORT_KEY_BYTES_MAX} bytes`,
    );
}

/** The row of the item with these key attributes, which have been validated. */
export function itemPlace(table: TableDefinition, key: Attributes): RowPlace {
  const { partition, sort } = table.key;
  return {
    owner: table.id,
    partition: encodePartition(encodeKeyValue(key[partition.name] as AttributeValue)),
    position: sort ? encodeKeyValue(key[sort.name] as AttributeValue) : NO_BYTES,
  };
}

/** The row of an item's entry in an index; undefined when the item lacks one of the index's keys. */
export function indexPlace(
  index: IndexDefinition,
  attributes: Attributes,
  item: Pick<RowPlace, "partition" | "position">,
): RowPlace | undefined {
  const { partition, sort } = index.key;
  const partitionValue = ownOfType(attributes, partition);
  const sortValue = sort && ownOfType(attributes, sort);
  if (!partitionValue || (sort && !sortValue)) return undefined;
  return {
    owner: index.id,
    partition: encodePartition(encodeKeyValue(partitionValue)),
    position: Buffer.concat([
      encodeSegment(sortValue ? encodeKeyValue(sortValue) : NO_BYTES),
      encodeSegment(item.partition),
      item.position,
    ]),
  };
}

/** What an index holds of an item, and its size. */
export function projectItem(
  table: TableDefinition,
  index: IndexDefinition,
  item: Attributes,
  size: number,
): { item: Attributes; size: number } {
  const names = projectedNames(table, index);
  if (!names) return { item, size };
  const projected = emptyAttributes();
  for (const name of Object.keys(item)) if (names.has(name)) projected[name] = item[name] as AttributeValue;
  return { item: projected, size: itemSize(projected) };
}

/** The key attributes of an item. */
export function keyOf(names: readonly KeyAttribute[], item: Attributes): Attributes {
  const key = emptyAttributes();
  for (const { name } of names) key[name] = item[name] as AttributeValue;
  return key;
}

/** Items that were there before an index may have its attributes with other types: they are not in it. */
function ownOfType(attributes: Attributes, { name, type }: KeyAttribute): AttributeValue | undefined {
  const value = own(attributes, name);
  return value && typeOf(value) === type ? value : undefined;
}

function own(attributes: Attributes, name: string): AttributeValue | undefined {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
}
