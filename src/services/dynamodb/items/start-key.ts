/** ExclusiveStartKey: where the page before ended. */
import { invalid, isInvalid } from "../errors.ts";
import type { RowPlace } from "../store-items.ts";
import type { IndexDefinition, KeyAttribute, TableDefinition } from "../tables/definition.ts";
import { keyAttributes } from "../tables/definition.ts";
import type { Wording } from "../values/validate.ts";
import { validateAttributes } from "../values/validate.ts";
import type { Attributes } from "../values/value.ts";
import { typeOf } from "../values/value.ts";
import { indexPlace, itemPlace, keyOf, validateKey } from "./keys.ts";

const INVALID_START = "The provided starting key is invalid";
/** Faults that are reported as they are. */
const BARE_FAULT =
  /contains duplicates|number set|numeric value|significant digits|Number (?:over|under)flow/;

/** Checks the values of a start key, before the table is known. */
export function validateStartKey(key: Attributes | undefined, wording: Wording): Attributes | undefined {
  if (!key) return undefined;
  try {
    return validateAttributes(key, wording);
  } catch (error) {
    if (!isInvalid(error) || BARE_FAULT.test(error.message)) throw error;
    throw invalid(`${INVALID_START}: ${error.message}`);
  }
}

/** The attributes that start keys of a table or index have: the table's keys and the index's. */
export function startKeyAttributes(
  table: TableDefinition,
  index: IndexDefinition | undefined,
): KeyAttribute[] {
  const attributes = keyAttributes(table.key);
  for (const attribute of index ? keyAttributes(index.key) : [])
    if (!attributes.some(({ name }) => name === attribute.name)) attributes.push(attribute);
  return attributes;
}

/** Checks a start key against the keys, and finds its row. */
export function startPlace(
  table: TableDefinition,
  index: IndexDefinition | undefined,
  key: Attributes,
  isScan: boolean,
): RowPlace {
  const attributes = startKeyAttributes(table, index);
  const isWhole =
    Object.keys(key).length === attributes.length &&
    attributes.every(({ name, type }) => {
      const value = Object.hasOwn(key, name) ? key[name] : undefined;
      return value && typeOf(value) === type;
    });
  if (!isWhole)
    throw invalid(
      isScan && !index
        ? `${INVALID_START}: The provided key element does not match the schema`
        : INVALID_START,
    );
  try {
    validateKey(table, keyOf(keyAttributes(table.key), key));
  } catch (error) {
    if (isInvalid(error)) throw invalid(`${INVALID_START}: ${error.message}`);
    throw error;
  }
  const place = itemPlace(table, key);
  return index ? (indexPlace(index, key, place) as RowPlace) : place;
}

/** The key to go on from. */
export function lastEvaluatedKey(
  table: TableDefinition,
  index: IndexDefinition | undefined,
  last: Attributes | undefined,
): Attributes | undefined {
  return last && keyOf(startKeyAttributes(table, index), last);
}
