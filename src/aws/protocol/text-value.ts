/** Simple values as text: in labels, headers, query strings, forms and XML elements. */
import type { Shape, TimestampFormat } from "../model/shape.ts";
import { MalformedInput } from "./malformed-input.ts";
import { formatTimestamp, parseTimestamp } from "./timestamp.ts";

const INTEGER = /^[+-]?\d+$/;
const FLOAT = /^([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|NaN|-?Infinity)$/;
const INTEGER_MAX = 2 ** 31 - 1;
const LONG_MAX = 2n ** 63n - 1n;

/**
 * Reads one simple value. A long that a double cannot hold comes as a bigint.
 * @throws MalformedInput
 */
export function readText(shape: Shape, text: string): unknown {
  switch (shape.kind) {
    case "string":
      return text;
    case "boolean":
      return readBoolean(text);
    case "integer":
    case "long":
      return readInteger(text.trim(), shape.kind);
    case "float":
    case "number":
      if (!FLOAT.test(text.trim())) throw new MalformedInput(`${text} is not a number`);
      return Number(text);
    case "blob":
      return decodeBase64(text.trim());
    case "timestamp":
      return parseTimestamp(text.trim());
    case "document":
      return JSON.parse(text) as unknown;
    default:
      throw new MalformedInput(`a ${shape.kind} was not expected here`);
  }
}

/** Writes one simple value. */
export function writeText(shape: Shape, value: unknown, timestampFormat: TimestampFormat): string {
  switch (shape.kind) {
    case "timestamp":
      return formatTimestamp(asDate(value), shape.format ?? timestampFormat);
    case "blob":
      return encodeBase64(value);
    case "document":
      return JSON.stringify(value);
    default:
      return String(value);
  }
}

/** Handlers give a blob as bytes, or as text to be sent as UTF-8. */
export function encodeBase64(value: unknown): string {
  return asBuffer(value).toString("base64");
}

export function asBuffer(value: unknown): Buffer {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError(`a blob must be bytes or a string, not ${typeof value}`);
}

export function asDate(value: unknown): Date {
  if (value instanceof Date) return value;
  throw new TypeError(`a timestamp must be a Date, not ${typeof value}`);
}

/**
 * Strict base64, as AWS reads it.
 * @throws MalformedInput
 */
export function decodeBase64(text: string): Buffer {
  if (text.length % 4 !== 0)
    throw new MalformedInput(
      `Base64 encoded length is expected a multiple of 4 bytes but found: ${text.length}`,
    );
  const bytes = Buffer.from(text, "base64");
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  // Node skips what is not base64, which shows in the length.
  if (bytes.length !== (text.length / 4) * 3 - padding)
    throw new MalformedInput("Invalid base64 character found");
  return bytes;
}

/** A whole number from its decimal digits, within the range of a Java int or long. */
export function readInteger(digits: string, kind: "integer" | "long"): number | bigint {
  if (!INTEGER.test(digits)) throw new MalformedInput(`${digits} is not a valid ${kind}`);
  const number = Number(digits);
  if (kind === "integer" && (number > INTEGER_MAX || number < -INTEGER_MAX - 1))
    throw new MalformedInput(`${digits} is out of the range of an integer`);
  if (Number.isSafeInteger(number)) return number;
  const big = BigInt(digits);
  if (big > LONG_MAX || big < -LONG_MAX - 1n)
    throw new MalformedInput(`${digits} is out of the range of a long`);
  return big;
}

function readBoolean(text: string): boolean {
  const lower = text.trim().toLowerCase();
  if (lower === "true") return true;
  if (lower === "false") return false;
  throw new MalformedInput(`${text} is not a valid boolean`);
}
