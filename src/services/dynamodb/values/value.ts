/** The attribute values of DynamoDB, as they arrive decoded from the wire. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";

export type { AttributeValue };

/** An item, a key, or the contents of a map: attributes by name. */
export type Attributes = Record<string, AttributeValue>;

export const ATTRIBUTE_TYPES = ["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"] as const;
export type AttributeType = (typeof ATTRIBUTE_TYPES)[number];

/** The types a key attribute can have. */
export type KeyAttributeType = "S" | "N" | "B";

/** The type of a validated value: the one member that is set. */
export function typeOf(value: AttributeValue): AttributeType {
  for (const name in value) if (name !== "$unknown") return name as AttributeType;
  throw new Error("an attribute value without a type got past validation");
}

/** Two binary values as `Buffer.compare` orders them. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** A copy whose maps and lists can be changed without touching the original; scalars and sets are shared. */
export function copyValue(value: AttributeValue): AttributeValue {
  if (value.M) return { M: copyAttributes(value.M) };
  if (value.L) return { L: value.L.map(copyValue) };
  return value;
}

/** A deep copy of attributes, as {@link copyValue}. */
export function copyAttributes(attributes: Attributes): Attributes {
  const copy = emptyAttributes();
  for (const [name, value] of Object.entries(attributes)) copy[name] = copyValue(value);
  return copy;
}

/** Attributes without a prototype, so that no attribute name is special (`__proto__`, `constructor`). */
export function emptyAttributes(): Attributes {
  return Object.create(null) as Attributes;
}
