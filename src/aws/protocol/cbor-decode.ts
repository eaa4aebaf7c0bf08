/** Decodes CBOR (RFC 8949) into plain values, with bounded nesting; indefinite lengths and half floats included. */
import { EpochTag } from "./cbor-encode.ts";
import { MalformedInput } from "./malformed-input.ts";

const DEPTH_MAX = 200;
const INDEFINITE = 31;
const BREAK = 0xff;
const TAG_EPOCH = 1;
const TAG_POSITIVE_BIGNUM = 2;
const TAG_NEGATIVE_BIGNUM = 3;

/** Member names come again and again: text up to this length is looked for among what was read lately. */
const SHORT_TEXT = 24;
const KEPT_TEXTS = 1_024;
const keptTexts: string[] = Array.from({ length: KEPT_TEXTS }, () => "");

/**
 * The one value that the bytes hold.
 * @throws MalformedInput
 */
export function decodeCbor(bytes: Buffer): unknown {
  const decoder = new Decoder(bytes);
  const value = decoder.value(0);
  if (!decoder.done) throw malformed("there are bytes behind the value");
  return value;
}

class Decoder {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): unknown {
    if (depth > DEPTH_MAX) throw malformed("it is nested too deeply");
    const initial = this.#take(1);
    const first = this.#bytes[initial] ?? 0;
    const major = first >> 5;
    const info = first & 0x1f;
    switch (major) {
      case 0:
        return narrow(this.#argument(info));
      case 1:
        return this.#negative(info);
      case 2:
        return this.#string(info, 2);
      case 3:
        return this.#text(info);
      case 4:
        return this.#array(info, depth);
      case 5:
        return this.#map(info, depth);
      case 6:
        return this.#tagged(this.#argument(info), depth);
      default:
        return this.#simple(info);
    }
  }

  /** Moves on by `count` bytes; returns where they begin. */
  #take(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) throw malformed("it ends too early");
    return at;
  }

  #argument(info: number): number | bigint {
    if (info < 24) return info;
    if (info === 24) return this.#view.getUint8(this.#take(1));
    if (info === 25) return this.#view.getUint16(this.#take(2));
    if (info === 26) return this.#view.getUint32(this.#take(4));
    if (info === 27) return this.#view.getBigUint64(this.#take(8));
    throw malformed("it has an unknown length");
  }

  #length(info: number): number {
    const length = Number(this.#argument(info));
    if (length > this.#bytes.length - this.#at) throw malformed("it ends too early");
    return length;
  }

  #negative(info: number): number | bigint {
    const argument = this.#argument(info);
    return typeof argument === "number" ? -1 - argument : narrow(-1n - argument);
  }

  #text(info: number): string {
    if (info === INDEFINITE) return this.#string(info, 3).toString("utf8");
    const length = this.#length(info);
    const at = this.#take(length);
    return length <= SHORT_TEXT
      ? shortText(this.#bytes, at, length)
      : this.#bytes.toString("utf8", at, at + length);
  }

  #string(info: number, major: 2 | 3): Buffer {
    if (info !== INDEFINITE) {
      const length = this.#length(info);
      const at = this.#take(length);
      return this.#bytes.subarray(at, at + length);
    }
    const chunks: Buffer[] = [];
    while (!this.#isBreak()) {
      const first = this.#bytes[this.#take(1)] ?? 0;
      if (first >> 5 !== major || (first & 0x1f) === INDEFINITE) throw malformed("it has a mixed string");
      chunks.push(this.#string(first & 0x1f, major));
    }
    return Buffer.concat(chunks);
  }

  #array(info: number, depth: number): unknown[] {
    const items: unknown[] = [];
    if (info === INDEFINITE) while (!this.#isBreak()) items.push(this.value(depth + 1));
    else for (let left = this.#length(info); left > 0; left--) items.push(this.value(depth + 1));
    return items;
  }

  #map(info: number, depth: number): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    if (info === INDEFINITE) while (!this.#isBreak()) this.#entry(result, depth);
    else for (let left = this.#length(info); left > 0; left--) this.#entry(result, depth);
    return result;
  }

  #entry(result: Record<string, unknown>, depth: number): void {
    const key = this.value(depth + 1);
    if (typeof key !== "string") throw malformed("a map has a key that is not text");
    const value = this.value(depth + 1);
    if (key === "__proto__")
      Object.defineProperty(result, key, { value, enumerable: true, writable: true, configurable: true });
    else result[key] = value;
  }

  #tagged(tag: number | bigint, depth: number): unknown {
    const value = this.value(depth + 1);
    if (tag === TAG_EPOCH && (typeof value === "number" || typeof value === "bigint"))
      return new EpochTag(Number(value));
    if (tag === TAG_POSITIVE_BIGNUM && Buffer.isBuffer(value)) return bignum(value);
    if (tag === TAG_NEGATIVE_BIGNUM && Buffer.isBuffer(value)) return -1n - bignum(value);
    return value;
  }

  #simple(info: number): unknown {
    if (info === 20) return false;
    if (info === 21) return true;
    if (info === 22 || info === 23) return null;
    if (info === 25) return halfFloat(this.#view.getUint16(this.#take(2)));
    if (info === 26) return this.#view.getFloat32(this.#take(4));
    if (info === 27) return this.#view.getFloat64(this.#take(8));
    throw malformed(`it has the unknown simple value ${info}`);
  }

  #isBreak(): boolean {
    if (this.#bytes[this.#at] !== BREAK) {
      if (this.done) throw malformed("it ends too early");
      return false;
    }
    this.#at++;
    return true;
  }
}

/** Saves making a string that is there already; only ASCII is ever found. */
function shortText(bytes: Buffer, at: number, length: number): string {
  let hash = length;
  for (let i = at; i < at + length; i++) hash = (Math.imul(hash, 31) + (bytes[i] ?? 0)) | 0;
  const slot = (hash >>> 0) % KEPT_TEXTS;
  const kept = keptTexts[slot] ?? "";
  if (kept.length === length && isText(kept, bytes, at)) return kept;
  const text = bytes.toString("utf8", at, at + length);
  keptTexts[slot] = text;
  return text;
}

function isText(text: string, bytes: Buffer, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== bytes[at + i] || code > 0x7f) return false;
  }
  return true;
}

function narrow(value: number | bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function bignum(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString("hex")}`);
}

function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function malformed(reason: string): MalformedInput {
  return new MalformedInput(`The CBOR document cannot be read: ${reason}`);
}
