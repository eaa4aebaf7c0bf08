/** CBOR by model. */
import type { Shape } from "../model/shape.ts";
import { decodeCbor } from "./cbor-decode.ts";
import { encodeCbor, EpochTag } from "./cbor-encode.ts";
import { MalformedInput } from "./malformed-input.ts";
import type { BodyCodec } from "./protocol.ts";
import { asBuffer } from "./text-value.ts";
import { createTreeReaders } from "./tree-reader.ts";
import { createTreeWriters } from "./tree-writer.ts";

const MS_PER_SECOND = 1_000;

/** A codec whose timestamps (tag 1) are in the given unit; blobs are byte strings. */
export function createCborCodec(timestamps: "seconds" | "milliseconds"): BodyCodec {
  const unitMs = timestamps === "seconds" ? MS_PER_SECOND : 1;
  const reader = createTreeReaders({
    memberKey: (member) => member.name,
    readBlob(value) {
      if (value instanceof Uint8Array) return value;
      throw new MalformedInput("A blob must be a byte string");
    },
    readTimestamp(value) {
      if (value instanceof EpochTag) return new Date(Math.round(value.value * unitMs));
      // Some encoders leave the tag out.
      if (typeof value === "number") return new Date(Math.round(value * unitMs));
      throw new MalformedInput("A timestamp must have tag 1");
    },
  });
  const writer = createTreeWriters({
    memberKey: (member) => member.name,
    writeBlob: asBuffer,
    writeTimestamp: (value) => new EpochTag(value.getTime() / unitMs),
    writeBigint: (value) => value,
    writeSpecialFloat: (value) => value,
  });
  return {
    read: (shape: Shape, bytes: Buffer) => reader(shape)(decodeCbor(bytes)),
    write: (shape: Shape, value: unknown) => encodeCbor(writer(shape)(value)),
  };
}
