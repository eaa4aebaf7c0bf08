/** Encrypts content, and decrypts it from any byte on: AES-256 in counter mode. */
import { createCipheriv, createHash } from "node:crypto";
import { Readable } from "node:stream";

const BLOCK_BYTES = 16;
const COUNTER_BYTES = 4;

/** Changes bytes in their order, either way. */
export type Change = (bytes: Buffer) => Buffer;

/**
 * @param blobName Tells contents under one key apart, which the parts of an object are; "" for the one that is in its row.
 * @param start Where the first byte lies in the content; at most 64 GiB.
 */
export function changeFrom(key: Buffer, blobName: string, start = 0): Change {
  const counter = Buffer.alloc(COUNTER_BYTES);
  counter.writeUInt32BE(Math.floor(start / BLOCK_BYTES));
  const nonce = createHash("sha256")
    .update(blobName)
    .digest()
    .subarray(0, BLOCK_BYTES - COUNTER_BYTES);
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.concat([nonce, counter]));
  cipher.update(Buffer.alloc(start % BLOCK_BYTES));
  return (bytes) => cipher.update(bytes);
}

export function changedStream(stream: Readable, change: Change): Readable {
  return Readable.from(changed(stream as AsyncIterable<Buffer>, change), { objectMode: false });
}

export async function* changed(chunks: AsyncIterable<Buffer>, change: Change): AsyncIterable<Buffer> {
  for await (const chunk of chunks) yield change(chunk);
}
