/** The keys of encrypted content: one for each object, kept under a key of the server's. */
import type { Ids } from "../../../kit/id.ts";
import { KEY_BYTES, NONCE_BYTES, randomBytes, seal, unseal } from "../../../kit/sealed.ts";

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
    const sealed = seal(this.#master, randomBytes(this.#ids, NONCE_BYTES), key);
    const stored: Stored = { algorithm: "AES256", key: sealed.toString("base64") };
    return { key, stored: JSON.stringify(stored) };
  }

  /** The key of stored content; undefined for content that is not encrypted. @throws Error for a key that was kept under another one */
  open(stored: string | null): Buffer | undefined {
    if (stored === null) return undefined;
    return unseal(this.#master, Buffer.from((JSON.parse(stored) as Stored).key, "base64"));
  }
}
