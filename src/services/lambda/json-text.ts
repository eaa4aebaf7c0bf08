/** Whether bytes are one JSON text, told without building anything from it; with the reason where they are not. */
import { isUtf8 } from "node:buffer";

/** Deeper nesting is refused, as by the parser that AWS uses. */
const DEPTH_MAX = 1_000;

const EXPECTED = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
/** Longest number read, as in AWS's parser. */
const NUMBER_BYTES_MAX = 1_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

class Fault extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** Undefined for valid JSON; otherwise what AWS says about it after `Could not parse request body into json: `. */
export function jsonFault(bytes: Buffer): string | undefined {
  try {
    if (!isUtf8(bytes)) throw new Fault("Invalid UTF-8", 0);
    const end = skipSpace(bytes, scanValue(bytes, skipSpace(bytes, 0), 0));
    if (end < bytes.length) throw unexpected(bytes, end);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return describe(bytes, error);
    throw error;
  }
}

/** Scans one value and answers where it ends. */
function scanValue(bytes: Buffer, at: number, depth: number): number {
  switch (bytes[at]) {
    case undefined:
      throw new Fault("No content to map due to end-of-input", at);
    case QUOTE:
      return scanString(bytes, at);
    case 0x7b: // {
      return scanContainer(bytes, at, depth + 1, 0x7d);
    case 0x5b: // [
      return scanContainer(bytes, at, depth + 1, 0x5d);
    case 0x74:
      return scanToken(bytes, at, "true");
    case 0x66:
      return scanToken(bytes, at, "false");
    case 0x6e:
      return scanToken(bytes, at, "null");
    default:
      return scanNumber(bytes, at);
  }
}

function scanContainer(bytes: Buffer, start: number, depth: number, close: number): number {
  if (depth > DEPTH_MAX)
    throw new Fault(`Document nesting depth (${depth}) exceeds the maximum allowed (${DEPTH_MAX})`, start);
  const isObject = close === 0x7d;
  let at = skipSpace(bytes, start + 1);
  if (bytes[at] === close) return at + 1;
  for (;;) {
    if (isObject) {
      if (bytes[at] === undefined) throw unexpected(bytes, at);
      if (bytes[at] !== QUOTE) throw unexpected(bytes, at, "was expecting double-quote to start field name");
      at = skipSpace(bytes, scanString(bytes, at));
      if (bytes[at] !== 0x3a)
        throw unexpected(bytes, at, "was expecting a colon to separate field name and value");
      at = skipSpace(bytes, at + 1);
    }
    if (bytes[at] === undefined) throw unexpected(bytes, at);
    at = skipSpace(bytes, scanValue(bytes, at, depth));
    if (bytes[at] === close) return at + 1;
    if (bytes[at] !== 0x2c)
      throw unexpected(bytes, at, `was expecting comma to separate ${isObject ? "Object" : "Array"} entries`);
    at = skipSpace(bytes, at + 1);
  }
}

function scanString(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte < 0x20)
      throw new Fault(
        `Illegal unquoted character ((CTRL-CHAR, code ${byte})): has to be escaped using backslash to be included in string value`,
        at,
      );
    if (byte === BACKSLASH) at = scanEscape(bytes, at);
  }
  throw new Fault("Unexpected end-of-input: was expecting closing quote for a string value", bytes.length);
}

/** Answers the last byte of the escape that begins at `at`. */
function scanEscape(bytes: Buffer, at: number): number {
  const kind = String.fromCharCode(bytes[at + 1] ?? 0);
  if ('"\\/bfnrt'.includes(kind)) return at + 1;
  if (kind === "u" && /^[0-9a-fA-F]{4}$/.test(bytes.toString("latin1", at + 2, at + 6))) return at + 5;
  throw new Fault(`Unrecognized character escape ${quoted(bytes[at + 1] ?? 0)}`, at + 1);
}

function scanToken(bytes: Buffer, at: number, token: string): number {
  const end = at + token.length;
  if (
    bytes.toString("latin1", at, end) === token &&
    !/[A-Za-z0-9_$]/.test(String.fromCharCode(bytes[end] ?? 0))
  )
    return end;
  throw unrecognized(bytes, at);
}

function scanNumber(bytes: Buffer, start: number): number {
  const first = bytes[start] as number;
  if (first !== 0x2d && !isDigit(first))
    throw /[A-Za-z_$]/.test(String.fromCharCode(first))
      ? unrecognized(bytes, start)
      : unexpected(bytes, start, `expected a valid value ${EXPECTED}`);
  let at = first === 0x2d ? start + 1 : start;
  const whole = at;
  at = scanDigits(bytes, at, "expected digit (0-9) to follow minus sign, for valid numeric value");
  if (bytes[whole] === 0x30 && at > whole + 1)
    throw new Fault("Invalid numeric value: Leading zeroes not allowed", whole + 1);
  if (bytes[at] === 0x2e) at = scanDigits(bytes, at + 1, "Decimal point not followed by a digit");
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    const signed = bytes[at + 1] === 0x2b || bytes[at + 1] === 0x2d;
    at = scanDigits(bytes, at + (signed ? 2 : 1), "Exponent indicator not followed by a digit");
  }
  if (at - start > NUMBER_BYTES_MAX)
    throw new Fault(
      `Number value length (${at - start}) exceeds the maximum allowed (${NUMBER_BYTES_MAX})`,
      start,
    );
  return at;
}

function scanDigits(bytes: Buffer, start: number, why: string): number {
  let at = start;
  while (isDigit(bytes[at])) at++;
  if (at === start) throw unexpected(bytes, at, why);
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

function unrecognized(bytes: Buffer, at: number): Fault {
  const token = /^[A-Za-z0-9_$]*/.exec(bytes.toString("latin1", at, at + 256))?.[0] ?? "";
  return new Fault(`Unrecognized token '${token}': was expecting ${EXPECTED}`, at + token.length);
}

function unexpected(bytes: Buffer, at: number, why = `expected a valid value ${EXPECTED}`): Fault {
  const byte = bytes[at];
  if (byte === undefined) return new Fault("Unexpected end-of-input: expected close marker", at);
  return new Fault(`Unexpected character (${quoted(byte)}): ${why}`, at);
}

function quoted(byte: number): string {
  return `'${String.fromCharCode(byte)}' (code ${byte})`;
}

function describe(bytes: Buffer, fault: Fault): string {
  const before = bytes.toString("latin1", 0, fault.at);
  const line = before.split("\n").length;
  const column = fault.at - (before.lastIndexOf("\n") + 1) + 1;
  return `Could not parse payload into json: ${fault.message}\n at [Source: (byte[]); line: ${line}, column: ${column}]`;
}
