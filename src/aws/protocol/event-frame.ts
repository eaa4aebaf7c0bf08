/** One frame of `application/vnd.amazon.eventstream`: prelude, headers, payload, two checksums. */
import { crc32 } from "node:zlib";

const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;

/** Header value types of the format. */
const TYPE = { true: 0, false: 1, integer: 4, long: 5, bytes: 6, string: 7, timestamp: 8 } as const;

export type FrameHeader = string | number | boolean | bigint | Uint8Array | Date;

/** Encodes a frame; numbers become 32-bit integers. */
export function encodeFrame(
  headers: Readonly<Record<string, FrameHeader>>,
  payload: string | Uint8Array,
): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => encodeHeader(name, value)));
  const body = typeof payload === "string" ? Buffer.from(payload, "utf8") : payload;
  const total = PRELUDE_BYTES + head.length + body.length + CHECKSUM_BYTES;
  const frame = Buffer.allocUnsafe(total);
  frame.writeUInt32BE(total, 0);
  frame.writeUInt32BE(head.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  head.copy(frame, PRELUDE_BYTES);
  frame.set(body, PRELUDE_BYTES + head.length);
  frame.writeUInt32BE(crc32(frame.subarray(0, total - CHECKSUM_BYTES)), total - CHECKSUM_BYTES);
  return frame;
}

function encodeHeader(name: string, value: FrameHeader): Buffer {
  const nameBytes = Buffer.from(name, "utf8");
  return Buffer.concat([Buffer.of(nameBytes.length), nameBytes, encodeHeaderValue(value)]);
}

function encodeHeaderValue(value: FrameHeader): Buffer {
  if (typeof value === "boolean") return Buffer.of(value ? TYPE.true : TYPE.false);
  if (typeof value === "number") {
    const bytes = Buffer.alloc(5);
    bytes.writeUInt8(TYPE.integer, 0);
    bytes.writeInt32BE(value, 1);
    return bytes;
  }
  if (typeof value === "bigint") return encodeLong(TYPE.long, value);
  if (value instanceof Date) return encodeLong(TYPE.timestamp, BigInt(value.getTime()));
  const isString = typeof value === "string";
  const content = isString ? Buffer.from(value, "utf8") : value;
  const bytes = Buffer.alloc(3 + content.length);
  bytes.writeUInt8(isString ? TYPE.string : TYPE.bytes, 0);
  bytes.writeUInt16BE(content.length, 1);
  bytes.set(content, 3);
  return bytes;
}

function encodeLong(type: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8(type, 0);
  bytes.writeBigInt64BE(value, 1);
  return bytes;
}
