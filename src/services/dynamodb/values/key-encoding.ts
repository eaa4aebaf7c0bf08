/** Keys as bytes whose binary order is DynamoDB's order, so that SQL ranges answer queries on every engine. */
import type { AttributeValue } from "./value.ts";
import { decimal } from "./number.ts";

/** Bytes at the front of a partition that spread partitions evenly; scans and their segments follow them. */
export const HASH_BYTES = 4;

const NEGATIVE = 0x00;
const ZERO = 0x01;
const POSITIVE = 0x02;
const EXPONENT_BIAS = 130;
/** Ends a negative number's digits: above every digit pair, so that fewer digits (nearer to zero) sort later. */
const NEGATIVE_END = 0xff;

/** The bytes of one key attribute's value; two values of one type compare as their bytes do. */
export function encodeKeyValue(value: AttributeValue): Buffer {
  if (value.S !== undefined) return Buffer.from(value.S, "utf8");
  if (value.N !== undefined) return encodeNumber(value.N);
  return Buffer.from(value.B as Uint8Array);
}

/** A partition: {@link HASH_BYTES} of hash, then the partition key's bytes. */
export function encodePartition(key: Uint8Array): Buffer {
  const partition = Buffer.allocUnsafe(HASH_BYTES + key.length);
  partition.writeUInt32BE(hashBytes(key), 0);
  partition.set(key, HASH_BYTES);
  return partition;
}

/** The first hash of a scan segment: partitions of segment `n` are those from its start to that of `n + 1`. */
export function segmentStart(segment: number, totalSegments: number): Buffer {
  const start = Math.ceil((segment * 2 ** 32) / totalSegments);
  if (start >= 2 ** 32) return AFTER_ALL;
  const bytes = Buffer.allocUnsafe(HASH_BYTES);
  bytes.writeUInt32BE(start, 0);
  return bytes;
}

/** Sorts after every partition: a partition key has at most 2,048 bytes. */
export const AFTER_ALL: Buffer = Buffer.alloc(HASH_BYTES + 2048 + 1, 0xff);

/**
 * A value's bytes so written that others may follow and the order still is that of the value first: a zero byte
 * becomes 00 FF, the end is 00 00. Index entries are ordered by their sort key, then by the table's key.
 */
export function encodeSegment(bytes: Uint8Array): Buffer {
  return Buffer.concat([escapeZeros(bytes), SEGMENT_END]);
}

const SEGMENT_END = Buffer.from([0, 0]);

/** The bytes of {@link encodeSegment} without the end: what every segment that begins with `bytes` begins with. */
export function escapeZeros(bytes: Uint8Array): Buffer {
  if (bytes.indexOf(0) < 0) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const out: number[] = [];
  for (const byte of bytes) {
    out.push(byte);
    if (byte === 0) out.push(0xff);
  }
  return Buffer.from(out);
}

/** The first bytes after all that begin with `prefix`; undefined when there are none. */
export function afterPrefix(prefix: Uint8Array): Buffer | undefined {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length -= 1;
  if (length === 0) return undefined;
  const next = Buffer.from(prefix.subarray(0, length));
  next[length - 1] = (next[length - 1] as number) + 1;
  return next;
}

/** Sign, exponent, then pairs of digits; for negative numbers exponent and digits are turned round. */
function encodeNumber(text: string): Buffer {
  const { negative, digits, exponent } = decimal(text);
  if (digits === "") return Buffer.from([ZERO]);
  const pairs = Math.ceil(digits.length / 2);
  const bytes = Buffer.allocUnsafe(2 + pairs + (negative ? 1 : 0));
  const biased = exponent + EXPONENT_BIAS;
  bytes[0] = negative ? NEGATIVE : POSITIVE;
  bytes[1] = negative ? 0xff - biased : biased;
  for (let pair = 0; pair < pairs; pair += 1) {
    const high = digits.charCodeAt(2 * pair) - 48;
    const low = 2 * pair + 1 < digits.length ? digits.charCodeAt(2 * pair + 1) - 48 : 0;
    const byte = high * 10 + low + 1;
    bytes[2 + pair] = negative ? 0xfe - byte : byte;
  }
  if (negative) bytes[2 + pairs] = NEGATIVE_END;
  return bytes;
}

/** FNV-1a with a final mix: cheap, and its high bits are as good as its low ones. */
function hashBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i += 1) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
