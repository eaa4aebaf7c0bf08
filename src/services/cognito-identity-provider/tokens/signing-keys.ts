/** A pool's signing keys: kept durably, made when first needed, and another one after a while. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { Clock } from "../../../kit/clock.ts";
import type { Database } from "../../../store/database.ts";
import { SIGNING_KEY_BITS, SIGNING_KEY_MS, TOKEN_MS_MAX } from "../limits.ts";
import { deleteKeys, insertKey, listKeys } from "../store/sessions.ts";
import type { KeyRow } from "../store/sessions.ts";
import type { SigningKey } from "./jwt.ts";

/** Parsed keys that are kept in memory. */
const CACHED_MAX = 1_000;

interface KnownKey extends SigningKey {
  readonly publicKey: KeyObject;
}

export class SigningKeys {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #known = new Map<string, KnownKey>();
  /** Pools for which a key is being made: what is asked meanwhile waits for that one. */
  readonly #making = new Map<string, Promise<readonly KeyRow[]>>();

  constructor({ database, clock }: { readonly database: Database; readonly clock: Clock }) {
    this.#database = database;
    this.#clock = clock;
  }

  /** The key that signs now. */
  async current(poolId: string): Promise<SigningKey> {
    const [newest] = await this.#rows(poolId);
    if (!newest) throw new Error(`The user pool ${poolId} has no signing key`);
    return this.#parsed(newest);
  }

  /** All whose tokens may still be asked about, the one that signs first. */
  async all(poolId: string): Promise<readonly KnownKey[]> {
    return (await this.#rows(poolId)).map((row) => this.#parsed(row));
  }

  async #rows(poolId: string): Promise<readonly KeyRow[]> {
    const rows = await listKeys(this.#database, poolId);
    if (!this.#isDue(rows)) return rows;
    const made = this.#making.get(poolId) ?? this.#make(poolId);
    this.#making.set(poolId, made);
    try {
      return await made;
    } finally {
      this.#making.delete(poolId);
    }
  }

  #isDue([newest]: readonly KeyRow[]): boolean {
    return newest === undefined || newest.created_at + SIGNING_KEY_MS <= this.#clock.now();
  }

  async #make(poolId: string): Promise<readonly KeyRow[]> {
    const { privateKey, publicKey } = await promisify(generateKeyPair)("rsa", {
      modulusLength: SIGNING_KEY_BITS,
    });
    const { n = "" } = publicKey.export({ format: "jwk" });
    const key: KeyRow = {
      kid: createHash("sha256").update(n).digest("base64"),
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
      created_at: this.#clock.now(),
    };
    return this.#database.tx(async (tx) => {
      // Another server may have been quicker.
      if (this.#isDue(await listKeys(tx, poolId))) {
        await deleteKeys(tx, poolId, key.created_at - SIGNING_KEY_MS - TOKEN_MS_MAX);
        await insertKey(tx, poolId, key);
      }
      return listKeys(tx, poolId);
    });
  }

  #parsed({ kid, private_key }: KeyRow): KnownKey {
    const known = this.#known.get(kid);
    if (known) return known;
    const privateKey = createPrivateKey(private_key);
    const key = { kid, privateKey, publicKey: createPublicKey(privateKey) };
    if (this.#known.size >= CACHED_MAX) this.#known.clear();
    this.#known.set(kid, key);
    return key;
  }
}
