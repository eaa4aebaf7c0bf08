/** CRC-32C and CRC-64/NVME over streams (slicing by eight), and joining the CRCs of parts without their bytes. */

const SLICES = 8;

/** Reflected polynomials. */
const CASTAGNOLI = 0x82f63b78;
const NVME = 0x9a6c9329ac4bc9b5n;
const IEEE = 0xedb88320;

const crc32cTables = tables32(CASTAGNOLI);
const [nvmeLow, nvmeHigh] = tables64(NVME);

/** Continues a CRC-32C; start from 0. */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = crc32cTables as [
    Table,
    Table,
    Table,
    Table,
    Table,
    Table,
    Table,
    Table,
  ];
  let c = ~crc;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    c =
      t7[c & 255]! ^
      t6[(c >>> 8) & 255]! ^
      t5[(c >>> 16) & 255]! ^
      t4[c >>> 24]! ^
      t3[bytes[i + 4]!]! ^
      t2[bytes[i + 5]!]! ^
      t1[bytes[i + 6]!]! ^
      t0[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) c = t0[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return ~c >>> 0;
}

/** A running CRC-64/NVME, held as two 32-bit halves because JavaScript's bit operators have no more. */
export class Crc64Nvme {
  #low = -1;
  #high = -1;

  update(bytes: Uint8Array): void {
    let low = this.#low;
    let high = this.#high;
    const l = nvmeLow;
    const h = nvmeHigh;
    let i = 0;
    for (const end = bytes.length - 7; i < end; i += 8) {
      const a = low ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
      const b = high ^ (bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24));
      const i7 = 1792 + (a & 255);
      const i6 = 1536 + ((a >>> 8) & 255);
      const i5 = 1280 + ((a >>> 16) & 255);
      const i4 = 1024 + (a >>> 24);
      const i3 = 768 + (b & 255);
      const i2 = 512 + ((b >>> 8) & 255);
      const i1 = 256 + ((b >>> 16) & 255);
      const i0 = b >>> 24;
      low = l[i7]! ^ l[i6]! ^ l[i5]! ^ l[i4]! ^ l[i3]! ^ l[i2]! ^ l[i1]! ^ l[i0]!;
      high = h[i7]! ^ h[i6]! ^ h[i5]! ^ h[i4]! ^ h[i3]! ^ h[i2]! ^ h[i1]! ^ h[i0]!;
    }
    for (; i < bytes.length; i++) {
      const slot = (low ^ bytes[i]!) & 255;
      low = ((low >>> 8) | (high << 24)) ^ l[slot]!;
      high = (high >>> 8) ^ h[slot]!;
    }
    this.#low = low;
    this.#high = high;
  }

  /** The digest, eight bytes, most significant first. */
  digest(): Buffer {
    const out = Buffer.allocUnsafe(8);
    out.writeUInt32BE(~this.#high >>> 0, 0);
    out.writeUInt32BE(~this.#low >>> 0, 4);
    return out;
  }
}

export type CrcKind = "CRC32" | "CRC32C" | "CRC64NVME";

/** The CRC of A followed by B, from the CRCs of both and the number of bytes of B. */
export function combineCrc(kind: CrcKind, crcA: Buffer, crcB: Buffer, bytesB: number): Buffer {
  const bits = kind === "CRC64NVME" ? 64 : 32;
  const joined = times(shiftOperator(kind, bits, bytesB), toBigInt(crcA)) ^ toBigInt(crcB);
  const out = Buffer.alloc(bits / 8);
  if (bits === 64) out.writeBigUInt64BE(joined);
  else out.writeUInt32BE(Number(joined));
  return out;
}

/** A linear map over GF(2): one word per input bit. */
type Matrix = readonly bigint[];

const operators = new Map<string, Matrix>();
const OPERATORS_KEPT_MAX = 64;

/** The map that appends `bytes` zero bytes to a CRC. Parts of one upload mostly have one size, so the last few are kept. */
function shiftOperator(kind: CrcKind, bits: number, bytes: number): Matrix {
  const name = `${kind}/${bytes}`;
  const known = operators.get(name);
  if (known) return known;
  const polynomial = { CRC32: BigInt(IEEE), CRC32C: BigInt(CASTAGNOLI), CRC64NVME: NVME }[kind];
  // One zero bit: shift right, and take the polynomial in when a one falls out.
  let power: Matrix = Array.from({ length: bits }, (_, bit) =>
    bit === 0 ? polynomial : 1n << BigInt(bit - 1),
  );
  for (let doubling = 0; doubling < 3; doubling++) power = square(power);
  let result: Matrix = Array.from({ length: bits }, (_, bit) => 1n << BigInt(bit));
  for (let left = BigInt(bytes); left > 0n; left >>= 1n) {
    if (left & 1n) result = result.map((column) => times(power, column));
    power = square(power);
  }
  if (operators.size >= OPERATORS_KEPT_MAX) operators.clear();
  operators.set(name, result);
  return result;
}

function square(matrix: Matrix): Matrix {
  return matrix.map((column) => times(matrix, column));
}

function times(matrix: Matrix, vector: bigint): bigint {
  let sum = 0n;
  for (let bit = 0, left = vector; left > 0n; bit++, left >>= 1n) if (left & 1n) sum ^= matrix[bit]!;
  return sum;
}

function toBigInt(bytes: Buffer): bigint {
  return bytes.length === 8 ? bytes.readBigUInt64BE() : BigInt(bytes.readUInt32BE());
}

type Table = Int32Array;

function tables32(polynomial: number): Table[] {
  const tables = Array.from({ length: SLICES }, () => new Int32Array(256));
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? polynomial ^ (c >>> 1) : c >>> 1;
    tables[0]![n] = c;
  }
  for (let slice = 1; slice < SLICES; slice++)
    for (let n = 0; n < 256; n++) {
      const before = tables[slice - 1]![n]!;
      tables[slice]![n] = tables[0]![before & 255]! ^ (before >>> 8);
    }
  return tables;
}

/** Low and high halves, slice after slice in one array each. */
function tables64(polynomial: bigint): [Table, Table] {
  const words: bigint[] = [];
  for (let n = 0n; n < 256n; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1n ? polynomial ^ (c >> 1n) : c >> 1n;
    words.push(c);
  }
  for (let n = 256; n < 256 * SLICES; n++) {
    const before = words[n - 256]!;
    words.push(words[Number(before & 255n)]! ^ (before >> 8n));
  }
  const half = (shift: bigint) => Int32Array.from(words, (word) => Number(BigInt.asIntN(32, word >> shift)));
  return [half(0n), half(32n)];
}
