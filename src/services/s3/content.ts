/** The bytes of objects and parts: small ones lie in their row, large ones in a blob of their own. */
import { Readable } from "node:stream";
import type { ByteRange } from "../../store/blobs.ts";
import { BlobNotFound } from "../../store/blobs.ts";
import { ServiceBlobs } from "../../store/service-blobs.ts";
import type { ServiceBlobsDeps } from "../../store/service-blobs.ts";
import { startDigest } from "./checksum/algorithms.ts";
import type { ChecksumAlgorithm } from "./checksum/algorithms.ts";
import { changeFrom, changed, changedStream } from "./encryption/cipher.ts";
import type { ObjectKeys } from "./encryption/keys.ts";
import type { ObjectRow, PartRow } from "./rows.ts";
import { NAMES_PER_LOOK, referencedBlobs } from "./store-garbage.ts";
import { partsOfRange } from "./store-uploads.ts";

/** Content up to this size is committed with its row: one write instead of a file, a folder entry and a row. */
const INLINE_BYTES_MAX = 16 * 1024;

/** Content that has been received and is on disk (or small, and will be with its row). */
export interface Received {
  readonly size: number;
  readonly md5: Buffer;
  /** Of the algorithm asked for. */
  readonly checksum: Buffer;
  /** Of the second algorithm, where one was asked for. */
  readonly second: Buffer | undefined;
  readonly blobName: string | null;
  readonly inlineBytes: Buffer | null;
}

export interface ReceiveOptions {
  /** Small content may lie in its row. */
  readonly inline: boolean;
  /** Encrypts what is stored. */
  readonly key?: Buffer | undefined;
  /** A second digest to compute on the way. */
  readonly second?: ChecksumAlgorithm | undefined;
}

const OWNER = {
  folder: "s3",
  what: "S3 object",
  namesPerLook: NAMES_PER_LOOK,
  referenced: referencedBlobs,
};

export class Content {
  readonly #deps: ServiceBlobsDeps;
  readonly #own: ServiceBlobs;
  readonly #keys: ObjectKeys;
  readonly #reading = new Map<string, number>();
  readonly #discarded = new Set<string>();

  constructor(deps: ServiceBlobsDeps & { readonly keys: ObjectKeys }) {
    this.#deps = deps;
    this.#keys = deps.keys;
    this.#own = new ServiceBlobs(deps, OWNER);
  }

  /**
   * Stores a body while digesting it; nothing larger than a small object is held in memory.
   * What it answers must either be named by a committed row or be given to {@link discard}.
   */
  async receive(
    body: AsyncIterable<Uint8Array | string>,
    algorithm: ChecksumAlgorithm,
    options: ReceiveOptions,
  ): Promise<Received> {
    const md5 = startDigest("MD5");
    const checksum = startDigest(algorithm);
    const second = options.second === undefined ? undefined : startDigest(options.second);
    let size = 0;
    const source = body[Symbol.asyncIterator]();
    const mayBeSmall = () => options.inline && size <= INLINE_BYTES_MAX;
    const next = async (): Promise<Buffer | undefined> => {
      const { done, value } = await source.next();
      if (done) return undefined;
      const chunk =
        typeof value === "string"
          ? Buffer.from(value)
          : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      size += chunk.length;
      md5.update(chunk);
      checksum.update(chunk);
      second?.update(chunk);
      return chunk;
    };
    const digests = () => ({
      size,
      md5: md5.digest(),
      checksum: checksum.digest(),
      second: second?.digest(),
    });
    const head: Buffer[] = [];
    let ended = false;
    while (mayBeSmall() && !ended) {
      const chunk = await next();
      if (chunk) head.push(chunk);
      else ended = true;
    }
    const { key } = options;
    if (ended) {
      const bytes = Buffer.concat(head);
      const inlineBytes = key ? changeFrom(key, "")(bytes) : bytes;
      return { ...digests(), blobName: null, inlineBytes };
    }
    const blobName = this.#own.newName();
    const plain = chunks(head, next);
    const stored = key ? changed(plain, changeFrom(key, blobName)) : plain;
    await this.#deps.blobs.put(blobName, Readable.from(stored, { objectMode: false }));
    return { ...digests(), blobName, inlineBytes: null };
  }

  /**
   * The bytes of an object, or of a range of them.
   * @throws BlobNotFound when the object was removed since its row was read: read the row again.
   */
  async read(row: ObjectRow, range?: ByteRange): Promise<Readable | Buffer> {
    if (row.size === 0) return Buffer.alloc(0);
    const span = range ?? { start: 0, end: row.size - 1 };
    const key = this.#keys.open(row.encryption);
    if (row.inline_bytes) {
      const bytes = row.inline_bytes.subarray(span.start, span.end + 1);
      return key ? changeFrom(key, "", span.start)(bytes) : bytes;
    }
    if (row.blob_name !== null) return this.#readBlob(row.blob_name, span, key);
    const parts = await partsOfRange(this.#deps.database, row.upload_id ?? "", span.start, span.end);
    if (parts.length === 0) throw new BlobNotFound(`the parts of upload ${row.upload_id}`);
    // The first is opened now, so that an object removed meanwhile is noticed before the answer begins.
    const names = parts.map((part) => part.blob_name);
    this.#hold(names);
    try {
      const first = await this.#readPart(parts[0] as PartRow, span, key);
      const stream = Readable.from(this.#joined(first, parts, span, key), { objectMode: false });
      // Whether it was read to its end, in part, or never.
      return stream.once("close", () => {
        first.destroy();
        this.#release(names);
      });
    } catch (error) {
      this.#release(names);
      throw error;
    }
  }

  /** Removes blobs that no row names any more, once nothing reads them. */
  discard(names: readonly (string | null)[]): void {
    for (const name of names) {
      if (name === null) continue;
      if (this.#reading.has(name)) this.#discarded.add(name);
      else this.#own.remove(name);
    }
  }

  /** Begins to remove what an earlier process stored and never committed, or replaced and never removed. */
  startSweep(): void {
    this.#own.startSweep();
  }

  stop(): Promise<void> {
    return this.#own.stop();
  }

  async *#joined(
    first: Readable,
    parts: readonly PartRow[],
    span: ByteRange,
    key: Buffer | undefined,
  ): AsyncIterable<Buffer> {
    yield* first as AsyncIterable<Buffer>;
    for (const part of parts.slice(1))
      yield* (await this.#readPart(part, span, key)) as AsyncIterable<Buffer>;
  }

  #readPart(part: PartRow, span: ByteRange, key: Buffer | undefined): Promise<Readable> {
    const begins = part.start_at ?? 0;
    const start = Math.max(0, span.start - begins);
    const end = Math.min(part.size, span.end - begins + 1) - 1;
    return this.#readBlob(part.blob_name, { start, end }, key);
  }

  async #readBlob(name: string, span: ByteRange, key: Buffer | undefined): Promise<Readable> {
    const stream = await this.#deps.blobs.read(name, span);
    return key ? changedStream(stream, changeFrom(key, name, span.start)) : stream;
  }

  #hold(names: readonly string[]): void {
    for (const name of names) this.#reading.set(name, (this.#reading.get(name) ?? 0) + 1);
  }

  #release(names: readonly string[]): void {
    for (const name of names) {
      const left = (this.#reading.get(name) ?? 1) - 1;
      if (left > 0) this.#reading.set(name, left);
      else {
        this.#reading.delete(name);
        if (this.#discarded.delete(name)) this.#own.remove(name);
      }
    }
  }
}

async function* chunks(
  head: readonly Buffer[],
  next: () => Promise<Buffer | undefined>,
): AsyncIterable<Buffer> {
  yield* head;
  for (let chunk = await next(); chunk; chunk = await next()) yield chunk;
}
