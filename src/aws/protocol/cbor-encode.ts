/** Encodes plain values as CBOR (RFC 8949): what the tree writers give, and nothing more. */

/** Tag 1: a point in time, in the unit of the protocol. */
export class EpochTag {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const FLOAT32 = 0xfa;
const FLOAT64 = 0xfb;
const UINT32_MAX = 2 ** 32 - 1;

const BUFFER_BYTES = 16 * 1024;
/** Text shorter than this is copied by hand where it is ASCII, which is faster than a call into the runtime. */
const SHORT_TEXT = 32;

/** A growing buffer; the result is a copy of its used part. Encoding never waits, so one first buffer serves all. */
const firstBuffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
const firstView = viewOf(firstBuffer);

class Output {
  #buffer = firstBuffer;
  #view = firstView;
  #length = 0;

  /** Room for `bytes` more; returns where they begin. */
  reserve(bytes: number): number {
    const start = this.#length;
    this.#length += bytes;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, start);
      this.#buffer = larger;
      this.#view = viewOf(larger);
    }
    return start;
  }

  byte(value: number): void {
    const at = this.reserve(1);
    this.#buffer[at] = value;
  }

  /** Initial byte and argument. */
  head(major: number, argument: number): void {
    const type = major << 5;
    if (argument < 24) this.byte(type | argument);
    else if (argument < 0x100) {
      const at = this.reserve(2);
      this.#buffer[at] = type | 24;
      this.#buffer[at + 1] = argument;
    } else if (argument < 0x10000) {
      const at = this.reserve(3);
      this.#buffer[at] = type | 25;
      this.#view.setUint16(at + 1, argument);
    } else if (argument <= UINT32_MAX) {
      const at = this.reserve(5);
      this.#buffer[at] = type | 26;
      this.#view.setUint32(at + 1, argument);
    } else this.longHead(major, BigInt(argument));
  }

  /** For arguments beyond 32 bits. */
  longHead(major: number, argument: bigint): void {
    const at = this.reserve(9);
    this.#buffer[at] = (major << 5) | 27;
    this.#view.setBigUint64(at + 1, argument);
  }

  text(value: string): void {
    if (value.length < SHORT_TEXT && this.#shortAscii(value)) return;
    const bytes = Buffer.byteLength(value, "utf8");
    this.head(MAJOR.text, bytes);
    const at = this.reserve(bytes);
    this.#buffer.write(value, at, bytes, "utf8");
  }

  /** False, with nothing written, where a character is not ASCII. */
  #shortAscii(value: string): boolean {
    const start = this.#length;
    this.head(MAJOR.text, value.length);
    const at = this.reserve(value.length);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.#length = start;
        return false;
      }
      this.#buffer[at + i] = code;
    }
    return true;
  }

  bytes(value: Uint8Array): void {
    this.head(MAJOR.bytes, value.length);
    const at = this.reserve(value.length);
    this.#buffer.set(value, at);
  }

  float(value: number): void {
    const isShort = Object.is(Math.fround(value), value);
    const at = this.reserve(isShort ? 5 : 9);
    this.#buffer[at] = isShort ? FLOAT32 : FLOAT64;
    if (isShort) this.#view.setFloat32(at + 1, value);
    else this.#view.setFloat64(at + 1, value);
  }

  take(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

export function encodeCbor(value: unknown): Buffer {
  const output = new Output();
  encodeValue(output, value);
  return output.take();
}

function encodeValue(output: Output, value: unknown): void {
  switch (typeof value) {
    case "string":
      return output.text(value);
    case "number":
      return encodeNumber(output, value);
    case "boolean":
      return output.byte(value ? TRUE : FALSE);
    case "bigint":
      return encodeBigint(output, value);
    case "object":
      return encodeObject(output, value);
    default:
      throw new TypeError(`CBOR cannot carry a ${typeof value}`);
  }
}

function encodeBigint(output: Output, value: bigint): void {
  const major = value < 0n ? MAJOR.negative : MAJOR.unsigned;
  const argument = value < 0n ? -1n - value : value;
  if (argument <= UINT32_MAX) output.head(major, Number(argument));
  else output.longHead(major, argument);
}

function encodeNumber(output: Output, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) output.float(value);
  else if (value < 0) output.head(MAJOR.negative, -1 - value);
  else output.head(MAJOR.unsigned, value);
}

function encodeObject(output: Output, value: object | null): void {
  if (value === null) output.byte(NULL);
  else if (value instanceof Uint8Array) output.bytes(value);
  else if (value instanceof EpochTag) {
    output.head(MAJOR.tag, 1);
    // Seconds with a fraction are a float, whole ones are too: some decoders know no other.
    if (Number.isInteger(value.value)) encodeNumber(output, value.value);
    else output.float(value.value);
  } else if (Array.isArray(value)) {
    output.head(MAJOR.array, value.length);
    for (const item of value) encodeValue(output, item);
  } else {
    const keys = Object.keys(value);
    const object = value as Record<string, unknown>;
    output.head(MAJOR.map, keys.length);
    for (const key of keys) {
      output.text(key);
      encodeValue(output, object[key]);
    }
  }
}
