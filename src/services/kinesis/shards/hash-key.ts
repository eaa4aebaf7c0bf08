/** Hash keys: 128-bit numbers, decimal to callers, and 32 hexadecimal digits here, whose order as text is their order as numbers. */
import { hash } from "node:crypto";
import { Memo } from "../../../kit/memo.ts";

export interface HashRange {
  /** Both inclusive, 32 hexadecimal digits. */
  readonly startHash: string;
  readonly endHash: string;
}

const DIGITS = 32;
const KEYS = 1n << 128n;

/** Producers send the same few keys again and again. */
const hashes = new Memo((partitionKey) => hash("md5", partitionKey));

/** Where a partition key belongs. */
export function hashOfKey(partitionKey: string): string {
  return hashes.get(partitionKey);
}

/** Undefined for a decimal number that is no hash key. */
export function readHashKey(decimal: string): string | undefined {
  const key = BigInt(decimal);
  return key < KEYS ? toHex(key) : undefined;
}

export function toDecimal(hex: string): string {
  return BigInt(`0x${hex}`).toString();
}

/** Ranges of equal size that cover all keys, in order. */
export function uniformRanges(count: number): HashRange[] {
  const size = KEYS / BigInt(count);
  return Array.from({ length: count }, (_, at) => ({
    startHash: toHex(size * BigInt(at)),
    endHash: toHex((at === count - 1 ? KEYS : size * BigInt(at + 1)) - 1n),
  }));
}

/** The key before. */
export function keyBefore(hex: string): string {
  return toHex(BigInt(`0x${hex}`) - 1n);
}

/** The key after. */
export function keyAfter(hex: string): string {
  return toHex(BigInt(`0x${hex}`) + 1n);
}

/** Where a range is cut into halves: the first key of the second. */
export function middleOf({ startHash, endHash }: HashRange): string {
  return toHex((BigInt(`0x${startHash}`) + BigInt(`0x${endHash}`)) / 2n + 1n);
}

function toHex(key: bigint): string {
  return key.toString(16).padStart(DIGITS, "0");
}
