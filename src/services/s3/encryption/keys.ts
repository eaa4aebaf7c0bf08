/** The keys of encrypted content: one for each object, kept under a key of the server's. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Ids } from "../../../kit/id.ts";

/** A new object's key. */
export interface Sealing {
  readonly key: Buffer;
  /** As it is stored with the object (JSON). */
  readonly stored: string;
}

/** As stored: the key, encrypted. */
interface Stored {
  readonly algorithm: "AES256";
  readonly key: string;
}

const CIPHER = "aes-256-gcm";
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class ObjectKeys {
  readonly #master: Buffer;
  readonly #ids: Ids;

  /** @param master {@link KEY_BYTES} bytes */
  constructor(master: Buffer, ids: Ids) {
    this.#master = master;
    this.#ids = ids;
  }

  create(): Sealing {
    const key = randomBytes(this.#ids, KEY_BYTES);
    const nonce = randomBytes(this.#ids, NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#master, nonce);
    const sealed = Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
    const stored: Stored = { algorithm: "AES256", key: sealed.toString("base64") };
    return { key, stored: JSON.stringify(stored) };
  }

  /** The key of stored content; undefined for content that is not encrypted. @throws Error for a key that was kept under another one */
  open(stored: string | null): Buffer | undefined {
    if (stored === null) return undefined;
    const sealed = Buffer.from((JSON.parse(stored) as Stored).key, "base64");
    const decipher = createDecipheriv(CIPHER, this.#master, sealed.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  }
}

export function randomBytes(ids: Ids, bytes: number): Buffer {
  return Buffer.from(ids.hex(bytes * 2), "hex");
}
