/** Sizes of items and values in bytes, as DynamoDB counts them for limits and capacity. */
import type { AttributeValue, Attributes } from "./value.ts";
import { decimal } from "./number.ts";

/** The largest item: 400 KB, attribute names included. */
export const ITEM_BYTES_MAX = 400 * 1024;

const CONTAINER_BYTES = 3;
const ELEMENT_BYTES = 1;

/**
 * The size of an item.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemSize(item: Attributes): number {
  let bytes = 0;
  for (const name in item) bytes += textBytes(name) + valueSize(item[name] as AttributeValue);
  return bytes;
}

/** The size of one value, without its name. */
export function valueSize(value: AttributeValue): number {
  if (value.S !== undefined) return textBytes(value.S);
  if (value.N !== undefined) return numberSize(value.N);
  if (value.B !== undefined) return value.B.length;
  if (value.BOOL !== undefined || value.NULL !== undefined) return 1;
  if (value.SS !== undefined) return value.SS.reduce((sum, member) => sum + textBytes(member), 0);
  if (value.NS !== undefined) return value.NS.reduce((sum, member) => sum + numberSize(member), 0);
  if (value.BS !== undefined) return value.BS.reduce((sum, member) => sum + member.length, 0);
  if (value.L !== undefined)
    return value.L.reduce((sum, element) => sum + ELEMENT_BYTES + valueSize(element), CONTAINER_BYTES);
  if (value.M !== undefined)
    return CONTAINER_BYTES + Object.keys(value.M).length * ELEMENT_BYTES + itemSize(value.M);
  throw new Error("an attribute value without a type got past validation");
}

/**
 * A number's size: one byte, half a byte for every significant digit before and after the point (each side rounded
 * up), and one for a minus sign. The guide's "1 byte per two significant digits" is this, less exactly.
 */
export function numberSize(text: string): number {
  const { negative, digits, exponent } = decimal(text);
  if (digits === "") return 1;
  const whole = Math.max(0, Math.min(digits.length, exponent + 1));
  return 1 + Math.ceil(whole / 2) + Math.ceil((digits.length - whole) / 2) + (negative ? 1 : 0);
}

/** The bytes of a text in UTF-8. */
export function textBytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}
