/** Equality and order of attribute values, as conditions and filters see them. */
import type { AttributeValue } from "./value.ts";
import { compareBytes, typeOf } from "./value.ts";
import { compareDecimals, decimal } from "./number.ts";

/** Whether two validated values are the same: numbers by value, sets without order, maps without order. */
export function valuesEqual(a: AttributeValue, b: AttributeValue): boolean {
  const type = typeOf(a);
  if (type !== typeOf(b)) return false;
  switch (type) {
    case "S":
    case "N":
    case "BOOL":
    case "NULL":
      // Numbers are stored in one form only, so their texts are equal when they are.
      return a[type] === b[type];
    case "B":
      return sameBytes(a.B as Uint8Array, b.B as Uint8Array);
    case "SS":
    case "NS":
      return sameMembers(a[type] as string[], b[type] as string[]);
    case "BS":
      return sameMembers(a.BS?.map(toText) ?? [], b.BS?.map(toText) ?? []);
    case "L":
      return sameLists(a.L ?? [], b.L ?? []);
    default:
      return sameMaps(a.M ?? {}, b.M ?? {});
  }
}

/** Orders two values of one of the ordered types (S, N, B); undefined for values that have no order together. */
export function compareValues(a: AttributeValue, b: AttributeValue): number | undefined {
  if (a.S !== undefined && b.S !== undefined) return compareTexts(a.S, b.S);
  if (a.N !== undefined && b.N !== undefined) return compareDecimals(decimal(a.N), decimal(b.N));
  if (a.B !== undefined && b.B !== undefined) return compareBytes(a.B, b.B);
  return undefined;
}

/** Whether `value` begins with `prefix`: texts or binary values. */
export function beginsWith(value: AttributeValue, prefix: AttributeValue): boolean {
  if (value.S !== undefined && prefix.S !== undefined) return value.S.startsWith(prefix.S);
  if (value.B !== undefined && prefix.B !== undefined)
    return value.B.length >= prefix.B.length && sameBytes(value.B.subarray(0, prefix.B.length), prefix.B);
  return false;
}

/** Whether a text or binary value holds `part`, a set has it as a member, or a list as an element. */
export function containsValue(value: AttributeValue, part: AttributeValue): boolean {
  if (value.L !== undefined) return value.L.some((element) => valuesEqual(element, part));
  if (part.S !== undefined)
    return (value.S?.includes(part.S) ?? false) || (value.SS?.includes(part.S) ?? false);
  if (part.N !== undefined) return value.NS?.includes(part.N) ?? false;
  if (part.B === undefined) return false;
  const bytes = part.B;
  if (value.B !== undefined) return Buffer.from(value.B).includes(bytes);
  return value.BS?.some((member) => sameBytes(member, bytes)) ?? false;
}

/** Texts in the order of their UTF-8 bytes, which differs from that of UTF-16 beyond the basic plane. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return compareBytes(Buffer.from(a, "utf8"), Buffer.from(b, "utf8"));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

function sameMembers(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  const members = new Set(a);
  return b.every((member) => members.has(member));
}

function sameLists(a: readonly AttributeValue[], b: readonly AttributeValue[]): boolean {
  return a.length === b.length && a.every((element, i) => valuesEqual(element, b[i] as AttributeValue));
}

function sameMaps(a: Record<string, AttributeValue>, b: Record<string, AttributeValue>): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => {
    const other = Object.hasOwn(b, name) ? b[name] : undefined;
    return other !== undefined && valuesEqual(a[name] as AttributeValue, other);
  });
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
