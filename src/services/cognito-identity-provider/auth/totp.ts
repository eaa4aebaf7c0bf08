/** Time-based one-time passwords (RFC 6238), as authenticator apps make them: SHA-1, six digits, 30 seconds. */
import { createHmac, randomBytes } from "node:crypto";
import { sameText } from "./srp.ts";

const STEP_MS = 30_000;
const DIGITS = 6;
/** Steps that a clock may be before or behind ours. */
const DRIFT_STEPS = 1;
const SECRET_BYTES = 32;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** A new secret in base32. */
export function newTotpSecret(): string {
  let bits = 0;
  let value = 0;
  let text = "";
  for (const byte of randomBytes(SECRET_BYTES)) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((value >>> (bits - 5)) & 31);
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET.charAt((value << (5 - bits)) & 31) : text;
}

/** The code of a secret at a time (epoch ms). */
export function totpCode(secret: string, now: number): string {
  return codeOf(secret, Math.floor(now / STEP_MS));
}

/** The step that a code is of, where it is one of now and after `lastStep`; else undefined. */
export function totpStep(secret: string, code: string, now: number, lastStep = -1): number | undefined {
  const current = Math.floor(now / STEP_MS);
  for (let step = current - DRIFT_STEPS; step <= current + DRIFT_STEPS; step++)
    if (step > lastStep && sameText(codeOf(secret, step), code)) return step;
  return undefined;
}

function codeOf(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", fromBase32(secret)).update(counter).digest();
  const at = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 10 ** DIGITS).padStart(DIGITS, "0");
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    value = ((value << 5) | ALPHABET.indexOf(character)) & 0xffff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >>> bits) & 255);
  }
  return Buffer.from(bytes);
}
