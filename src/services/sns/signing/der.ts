/** The few forms of ASN.1's Distinguished Encoding Rules that a certificate is made of (ITU-T X.690). */

type Bytes = Uint8Array;

export function sequence(...parts: readonly Bytes[]): Buffer {
  return tagged(0x30, ...parts);
}

export function set(...parts: readonly Bytes[]): Buffer {
  return tagged(0x31, ...parts);
}

/** A constructed value of the context: `[number]`. */
export function explicit(number: number, ...parts: readonly Bytes[]): Buffer {
  return tagged(0xa0 + number, ...parts);
}

/** Of the bytes of a number that is not negative. */
export function integer(bytes: Bytes): Buffer {
  const isHigh = ((bytes[0] ?? 0) & 0x80) !== 0;
  return tagged(0x02, ...(isHigh ? [Buffer.from([0]), bytes] : [bytes]));
}

export function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.from([value ? 0xff : 0]));
}

export function bitString(bytes: Bytes): Buffer {
  return tagged(0x03, Buffer.from([0]), bytes);
}

export function octetString(bytes: Bytes): Buffer {
  return tagged(0x04, bytes);
}

export function utf8String(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text));
}

export const NULL = tagged(0x05);

/** Any year, to the second, in UTC. @param time Epoch milliseconds. */
export function generalizedTime(time: number): Buffer {
  const text = new Date(time).toISOString().replaceAll(/[-:T]/g, "").slice(0, 14);
  return tagged(0x18, Buffer.from(`${text}Z`));
}

/** @param name `2.5.4.3` */
export function objectId(name: string): Buffer {
  const [first = 0, second = 0, ...rest] = name.split(".").map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

function tagged(tag: number, ...parts: readonly Bytes[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}
