/** How items are kept: as JSON text, in an array when they hold binary values (then base64). */
import type { AttributeValue, Attributes } from "../values/value.ts";
import { emptyAttributes } from "../values/value.ts";

/** The text an item is kept as. */
export function encodeItem(item: Attributes): string {
  return holdsBinary(item) ? `[${JSON.stringify(mapAttributes(item, toBase64))}]` : JSON.stringify(item);
}

/** The item a text stands for. */
export function decodeItem(text: string): Attributes {
  const parsed = JSON.parse(text) as Attributes | [Attributes];
  return Array.isArray(parsed) ? mapAttributes(parsed[0], fromBase64) : parsed;
}

/** What an item's text is on the wire: the same, without the sign that it holds binary values. */
export function wireText(text: string): string {
  return text.startsWith("[") ? text.slice(1, -1) : text;
}

/** An item as the wire has it: JSON, with binary values in base64. */
export function plainJson(item: Attributes): string {
  return JSON.stringify(holdsBinary(item) ? mapAttributes(item, toBase64) : item);
}

/** The attributes within parsed {@link plainJson}. */
export function readPlainAttributes(parsed: Attributes): Attributes {
  return mapAttributes(parsed, fromBase64);
}

function holdsBinary(attributes: Attributes): boolean {
  for (const name in attributes) if (isOrHoldsBinary(attributes[name] as AttributeValue)) return true;
  return false;
}

function isOrHoldsBinary(value: AttributeValue): boolean {
  if (value.B !== undefined || value.BS !== undefined) return true;
  if (value.M !== undefined) return holdsBinary(value.M);
  return value.L?.some(isOrHoldsBinary) ?? false;
}

function mapAttributes(attributes: Attributes, map: (value: AttributeValue) => AttributeValue): Attributes {
  const mapped = emptyAttributes();
  for (const name of Object.keys(attributes)) mapped[name] = map(attributes[name] as AttributeValue);
  return mapped;
}

/** Binary values become texts under the same member; the type is bent here and set right by {@link fromBase64}. */
function toBase64(value: AttributeValue): AttributeValue {
  if (value.B !== undefined) return { B: asText(value.B) } as unknown as AttributeValue;
  if (value.BS !== undefined) return { BS: value.BS.map(asText) } as unknown as AttributeValue;
  if (value.M !== undefined) return { M: mapAttributes(value.M, toBase64) };
  return value.L === undefined ? value : { L: value.L.map(toBase64) };
}

function fromBase64(value: AttributeValue): AttributeValue {
  if (value.B !== undefined) return { B: asBytes(value.B) };
  if (value.BS !== undefined) return { BS: value.BS.map(asBytes) };
  if (value.M !== undefined) return { M: mapAttributes(value.M, fromBase64) };
  return value.L === undefined ? value : { L: value.L.map(fromBase64) };
}

function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

function asBytes(text: unknown): Uint8Array {
  return Buffer.from(text as string, "base64");
}
