/**
 * What connections sign in by is kept encrypted, under a key of the server's that lies in the database too: it is told by no answer and no log,
 * and is no plain text in a backup of single tables. Against who has the whole database only a key from outside would help; there is no KMS here.
 */
import type { Ids } from "../../../kit/id.ts";
import { KEY_BYTES, NONCE_BYTES, randomBytes, seal, unseal } from "../../../kit/sealed.ts";
import type { Database } from "../../../store/database.ts";
import { settledSecret } from "../../../store/secrets.ts";

export class Sealer {
  readonly #key: Buffer;
  readonly #ids: Ids;

  constructor(key: Buffer, ids: Ids) {
    this.#key = key;
    this.#ids = ids;
  }

  static async open(database: Database, ids: Ids): Promise<Sealer> {
    return new Sealer(
      await settledSecret(database, "events_secret", "connections", randomBytes(ids, KEY_BYTES)),
      ids,
    );
  }

  seal(value: unknown): Buffer {
    return seal(this.#key, randomBytes(this.#ids, NONCE_BYTES), JSON.stringify(value));
  }

  /** @throws Error for what was sealed by another key */
  unseal(sealed: Uint8Array): unknown {
    return JSON.parse(unseal(this.#key, sealed).toString()) as unknown;
  }
}
