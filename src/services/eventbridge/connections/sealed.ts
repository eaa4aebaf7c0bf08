/**
 * What connections sign in by is kept encrypted, under a key of the server's that lies in the database too: it is told by no answer and no log,
 * and is no plain text in a backup of single tables. Against who has the whole database only a key from outside would help; there is no KMS here.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Ids } from "../../../kit/id.ts";
import type { Database } from "../../../store/database.ts";
import { settledSecret } from "../store/connections.ts";

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class Sealer {
  readonly #key: Buffer;
  readonly #ids: Ids;

  constructor(key: Buffer, ids: Ids) {
    this.#key = key;
    this.#ids = ids;
  }

  static async open(database: Database, ids: Ids): Promise<Sealer> {
    return new Sealer(await settledSecret(database, "connections", randomBytes(ids, KEY_BYTES)), ids);
  }

  seal(value: unknown): Buffer {
    const nonce = randomBytes(this.#ids, NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce);
    const text = cipher.update(JSON.stringify(value), "utf8");
    return Buffer.concat([nonce, text, cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws Error for what was sealed by another key */
  unseal(sealed: Uint8Array): unknown {
    const bytes = Buffer.from(sealed);
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return JSON.parse(text.toString()) as unknown;
  }
}

function randomBytes(ids: Ids, bytes: number): Buffer {
  return Buffer.from(ids.hex(bytes * 2), "hex");
}
