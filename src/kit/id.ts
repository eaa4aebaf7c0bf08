/** Identifiers and randomness as a dependency. */
import { randomBytes, randomUUID } from "node:crypto";

export interface Ids {
  /** A random UUID (version 4), lower case. */
  uuid(): string;
  /** `characters` random lower-case hexadecimal characters. */
  hex(characters: number): string;
  /** A number in [0, 1). */
  random(): number;
}

export const randomIds: Ids = {
  uuid: () => randomUUID(),
  hex(characters) {
    const bytes = Math.ceil(characters / 2);
    const at = takeRandom(bytes);
    return pool.toString("hex", at, at + bytes).slice(0, characters);
  },
  random: () => pool.readUIntBE(takeRandom(6), 6) / 2 ** 48,
};

/** Random bytes are drawn in one go and each is used once: asking the kernel for a few costs as much as for many. */
const POOL_BYTES = 4_096;
let pool = randomBytes(POOL_BYTES);
let used = 0;

/** Where the next unused bytes of the pool are. */
function takeRandom(bytes: number): number {
  if (used + bytes > pool.length) {
    pool = randomBytes(Math.max(POOL_BYTES, bytes));
    used = 0;
  }
  const at = used;
  used += bytes;
  return at;
}
