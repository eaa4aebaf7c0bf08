/** JSON by model: parsing with checked types, and writing of the modelled members only. */
import type { Member, Shape } from "../model/shape.ts";
import { MalformedInput } from "./malformed-input.ts";
import { decodeBase64, encodeBase64 } from "./text-value.ts";
import { formatTimestamp, fromEpochSeconds, parseTimestamp, toEpochSeconds } from "./timestamp.ts";
import { createTreeReaders } from "./tree-reader.ts";
import { createTreeWriters } from "./tree-writer.ts";

export interface JsonCodec {
  /** @throws MalformedInput */
  read(shape: Shape, bytes: Buffer): unknown;
  write(shape: Shape, value: unknown): string;
}

/** Node has these; TypeScript's library does not know them yet. */
const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };
type SourceReviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const { parse: parseWithSource } = JSON as unknown as {
  readonly parse: (text: string, reviver: SourceReviver) => unknown;
};

/** Digits that a double may not hold; only then is the slower, exact parse needed. */
const LONG_DIGITS = /\d{16}/;

/** The JSON protocols differ in one thing: only restJson1 knows the `jsonName` trait. */
export function createJsonCodec(options: { readonly jsonName: boolean }): JsonCodec {
  const memberKey = (member: Member) => (options.jsonName && member.traits.jsonName) || member.name;
  const reader = createTreeReaders({ memberKey, readBlob, readTimestamp });
  const writer = createTreeWriters({
    memberKey,
    writeBlob: encodeBase64,
    writeTimestamp: (value, shape) =>
      shape.format === undefined || shape.format === "epoch-seconds"
        ? toEpochSeconds(value)
        : formatTimestamp(value, shape.format),
    writeBigint: (value) => rawJson(String(value)),
    writeSpecialFloat: String,
  });
  return {
    read: (shape, bytes) => reader(shape)(parseJson(bytes)),
    write: (shape, value) => JSON.stringify(writer(shape)(value)),
  };
}

/** @throws MalformedInput */
export function parseJson(bytes: Buffer): unknown {
  const text = bytes.toString("utf8");
  try {
    return LONG_DIGITS.test(text) ? parseWithSource(text, exactIntegers) : (JSON.parse(text) as unknown);
  } catch (error) {
    throw new MalformedInput(error instanceof Error ? error.message : String(error));
  }
}

function exactIntegers(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  return context.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}

function readBlob(value: unknown): Buffer {
  if (typeof value === "string") return decodeBase64(value);
  throw new MalformedInput("A blob must be a base64 string");
}

function readTimestamp(value: unknown): Date {
  if (typeof value === "number") return fromEpochSeconds(value);
  if (typeof value === "string") return parseTimestamp(value);
  throw new MalformedInput("A timestamp must be a number of seconds since the epoch");
}
