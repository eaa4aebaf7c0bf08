/** Signs messages, so that subscribers can tell that they are this server's. https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html */
import { createPrivateKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { Clock } from "../../../kit/clock.ts";
import type { Ids } from "../../../kit/id.ts";
import type { Database, Reader } from "../../../store/database.ts";
import type { Signature } from "../messages/envelope.ts";
import { getSigning, putSigning } from "../store/signing.ts";
import type { SigningRow } from "../store/signing.ts";
import { certificatePath, makeCertificate } from "./certificate.ts";

interface Deps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
}

interface Key {
  readonly privateKey: KeyObject;
  readonly certificate: string;
  readonly path: string;
}

/** Members that are signed, by their names. */
export type Signed = Readonly<Record<string, string | undefined>>;

const DIGESTS = { "1": "sha1", "2": "sha256" } as const;
/** Of the serial number, in hexadecimal digits. */
const SERIAL_DIGITS = 32;

const signInBackground = promisify(sign);

export class Signer {
  readonly #deps: Deps;
  #key: Key | undefined;
  #making: Promise<Key> | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Makes the key where there is none yet: before the first subscription that it is needed for. */
  async prepare(): Promise<void> {
    await this.#open();
  }

  /** The certificate that is served at a path, in PEM; undefined where none is. */
  async certificateAt(path: string): Promise<string | undefined> {
    const row = this.#key ?? (await getSigning(this.#deps.database));
    return row && certificatePath(row.certificate) === path ? row.certificate : undefined;
  }

  async sign(version: "1" | "2", members: Signed): Promise<Signature> {
    const { privateKey, path } = await this.#open();
    const signature = await signInBackground(DIGESTS[version], textToSign(members), privateKey);
    return { version, value: signature.toString("base64"), certificatePath: path };
  }

  /** The same within a transaction, which must wait for nothing else; some subscription has prepared the key. */
  async signIn(reader: Reader, version: "1" | "2", members: Signed): Promise<Signature> {
    const { privateKey, path } = (this.#key ??= keyOf(await getSigning(reader)));
    const value = sign(DIGESTS[version], textToSign(members), privateKey).toString("base64");
    return { version, value, certificatePath: path };
  }

  #open(): Promise<Key> {
    if (this.#key) return Promise.resolve(this.#key);
    this.#making ??= this.#make().finally(() => (this.#making = undefined));
    return this.#making;
  }

  async #make(): Promise<Key> {
    const { database, ids, clock } = this.#deps;
    const known = await getSigning(database);
    if (known) return (this.#key = keyOf(known));
    const made = await makeCertificate(ids.hex(SERIAL_DIGITS), clock.now());
    // Where another server has made one meanwhile, that one holds.
    const kept = await database.tx(async (tx) => {
      await putSigning(tx, made);
      return getSigning(tx);
    });
    return (this.#key = keyOf(kept));
  }
}

function keyOf(row: SigningRow | undefined): Key {
  if (!row) throw new Error("There is no key to sign messages with");
  const { private_key, certificate } = row;
  return { privateKey: createPrivateKey(private_key), certificate, path: certificatePath(certificate) };
}

/** Each name and value on a line of its own, in the order of the names. */
function textToSign(members: Signed): Buffer {
  const lines = Object.keys(members)
    .toSorted()
    .flatMap((name) => (members[name] === undefined ? [] : [`${name}\n${members[name]}\n`]));
  return Buffer.from(lines.join(""));
}
