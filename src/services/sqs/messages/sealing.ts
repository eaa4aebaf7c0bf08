/**
 * Bodies of messages of queues with SqsManagedSseEnabled are kept encrypted, as S3's objects with AES256 are: under a key of the server's that
 * lies in the database. Attributes and what else is told of a message are not, as on AWS.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-sse-existing-queue.html
 */
import { hash } from "node:crypto";
import type { Ids } from "../../../kit/id.ts";
import { KEY_BYTES, NONCE_BYTES, randomBytes, seal, unseal } from "../../../kit/sealed.ts";
import type { Database } from "../../../store/database.ts";
import { settledSecret } from "../../../store/secrets.ts";
import type { MessageRow } from "./message.ts";
import type { Sequence } from "./sequence.ts";

/** Of a nonce: random for each start of a server; then comes a number (8 bytes) that is given once. */
const SALT_BYTES = 4;
/** Before what is sealed: no body has this character. */
const MARK = "\u0001";

export class BodySealer {
  readonly #key: Buffer;
  readonly #salt: Buffer;
  readonly #sequence: Sequence;

  private constructor(key: Buffer, salt: Buffer, sequence: Sequence) {
    this.#key = key;
    this.#salt = salt;
    this.#sequence = sequence;
  }

  /** The key is the same for all servers of a database, and is made by the first. */
  static async open(database: Database, ids: Ids, sequence: Sequence): Promise<BodySealer> {
    const key = await settledSecret(database, "sqs_secret", "bodies", randomBytes(ids, KEY_BYTES));
    return new BodySealer(key, randomBytes(ids, SALT_BYTES), sequence);
  }

  seal(body: string): string {
    const nonce = Buffer.alloc(NONCE_BYTES);
    this.#salt.copy(nonce);
    nonce.writeBigUInt64BE(BigInt(this.#sequence.take(1)), SALT_BYTES);
    return MARK + seal(this.#key, nonce, body).toString("base64");
  }

  /** The body of a message and its MD5, which is not kept of sealed ones. @throws Error for what was sealed by another key */
  read({ body, md5 }: Pick<MessageRow, "body" | "md5">): { readonly body: string; readonly md5: string } {
    if (!body.startsWith(MARK)) return { body, md5 };
    const opened = unseal(this.#key, Buffer.from(body.slice(MARK.length), "base64"));
    return { body: opened.toString(), md5: hash("md5", opened) };
  }
}
