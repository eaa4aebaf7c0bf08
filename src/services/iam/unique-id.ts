/** Unique ids, access keys, secrets and session tokens, in AWS's forms. */
import { randomBytes } from "node:crypto";
import type { Ids } from "../../kit/id.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Prefixes of IAM's unique ids. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
export type IdPrefix = "AROA" | "AIDA" | "ANPA" | "AKIA" | "ASIA";

const RANDOM_CHARACTERS: Record<IdPrefix, number> = { AROA: 17, AIDA: 17, ANPA: 17, AKIA: 16, ASIA: 16 };

/** A new unique id: the prefix and random base-32 characters. */
export function uniqueId(prefix: IdPrefix, ids: Ids): string {
  const bytes = Buffer.from(ids.hex(RANDOM_CHARACTERS[prefix] * 2), "hex");
  return prefix + Array.from(bytes, (byte) => ALPHABET[byte & 31]).join("");
}

/** A secret access key: 40 characters. Secrets come from the machine's generator, never from a replayable one. */
export function newSecret(): string {
  return randomBytes(30).toString("base64");
}

/** A session token: opaque, and as long as AWS's are at least, so that nothing relies on short ones. */
export function newSessionToken(): string {
  return randomBytes(192).toString("base64");
}
