/** Derived signing keys, kept in the form in which HMAC-SHA256 needs them. */
import { createHmac, hash } from "node:crypto";
import type { CredentialScope } from "./credential.ts";

const KEYS_MAX = 1_000;
/** Of SHA-256, in bytes. */
const BLOCK = 64;
const DIGEST = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** UTF-8 takes at most so many bytes for a UTF-16 unit. */
const BYTES_PER_CHARACTER = 3;
/** What signatures of requests and chunks are made over is shorter; what is longer has a buffer of its own. */
const TEXT_BYTES_MAX = 1_024;

const outer = Buffer.alloc(BLOCK + DIGEST);

/**
 * One key. HMAC is two hashes over padded blocks (RFC 2104), and two one-shot hashes cost less than half of an Hmac object, which
 * also keeps the garbage collector busy.
 */
export class SigningKey {
  /** The inner block, and room for a text behind it. */
  readonly #inner = Buffer.alloc(BLOCK + TEXT_BYTES_MAX, INNER_PAD);
  readonly #outer: string;

  /** @param key At most a block of bytes, as every derived key is. */
  constructor(key: Uint8Array) {
    const outerBlock = Buffer.alloc(BLOCK, OUTER_PAD);
    for (const [at, byte] of key.entries()) {
      this.#inner.writeUInt8(byte ^ INNER_PAD, at);
      outerBlock.writeUInt8(byte ^ OUTER_PAD, at);
    }
    this.#outer = outerBlock.toString("latin1");
  }

  /** HMAC-SHA256 of the text's UTF-8 bytes, in lower-case hexadecimal. */
  sign(text: string): string {
    outer.write(this.#outer, 0, "latin1");
    outer.write(hash("sha256", this.#innerWith(text), "latin1"), BLOCK, "latin1");
    return hash("sha256", outer, "hex");
  }

  #innerWith(text: string): Buffer {
    if (text.length * BYTES_PER_CHARACTER > TEXT_BYTES_MAX)
      return Buffer.concat([this.#inner.subarray(0, BLOCK), Buffer.from(text)]);
    return this.#inner.subarray(0, BLOCK + this.#inner.write(text, BLOCK, "utf8"));
  }
}

export interface SigningKeys {
  get(secretAccessKey: string, scope: CredentialScope): SigningKey;
}

/** A cache, from which the oldest go first; a key is derived once a day, region and service. */
export function createSigningKeys(): SigningKeys {
  const keys = new Map<string, SigningKey>();
  return {
    get(secretAccessKey, scope) {
      const name = `${secretAccessKey}/${scope.date}/${scope.region}/${scope.signingName}`;
      const known = keys.get(name);
      if (known) return known;
      if (keys.size >= KEYS_MAX) keys.delete(keys.keys().next().value ?? "");
      const key = derive(secretAccessKey, scope);
      keys.set(name, key);
      return key;
    },
  };
}

function derive(secretAccessKey: string, { date, region, signingName }: CredentialScope): SigningKey {
  let key = Buffer.from(`AWS4${secretAccessKey}`, "utf8");
  for (const part of [date, region, signingName, "aws4_request"])
    key = createHmac("sha256", key).update(part).digest();
  return new SigningKey(key);
}
