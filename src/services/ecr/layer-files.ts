/** The files that hold layers and parts of them. A name is used once, so that what is removed is never what has just come. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { ByteRange } from "../../store/blobs.ts";
import { ServiceBlobs } from "../../store/service-blobs.ts";
import type { ServiceBlobsDeps } from "../../store/service-blobs.ts";
import { NAMES_PER_LOOK, referencedBlobs } from "./store-layers.ts";

/** Bytes that are on disk, to be named by a row or given to `discard`. */
export interface Received {
  readonly blobName: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** More came than a layer may have. */
export class LayerTooLarge extends Error {}

const OWNER = { folder: "ecr", what: "layer", namesPerLook: NAMES_PER_LOOK, referenced: referencedBlobs };

export class LayerFiles {
  readonly #deps: ServiceBlobsDeps;
  readonly #own: ServiceBlobs;

  constructor(deps: ServiceBlobsDeps) {
    this.#deps = deps;
    this.#own = new ServiceBlobs(deps, OWNER);
  }

  /** Stores what comes, as it comes, and digests it on the way. @throws LayerTooLarge above `bytesMax`. */
  async receive(content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Received> {
    const blobName = this.#own.newName();
    const source = Readable.from(limited(content, bytesMax), { objectMode: false });
    return { blobName, ...(await this.#deps.blobs.put(blobName, source)) };
  }

  /** One file of several, in order. */
  async join(parts: readonly string[]): Promise<Received> {
    const blobName = this.#own.newName();
    return { blobName, ...(await this.#deps.blobs.concat(blobName, parts)) };
  }

  /** @throws BlobNotFound where it was removed since its row was read. */
  read(blobName: string, range?: ByteRange): Promise<Readable> {
    return this.#deps.blobs.read(blobName, range);
  }

  /** For a reader in another thread. */
  path(blobName: string): string {
    return this.#deps.blobs.path(blobName);
  }

  /** Removes files that no row names any more; who reads one reads on. */
  discard(names: readonly string[]): void {
    for (const name of names) this.#own.remove(name);
  }

  /** Begins to remove what an earlier process stored and no row names. */
  startSweep(): void {
    this.#own.startSweep();
  }

  stop(): Promise<void> {
    return this.#own.stop();
  }
}

/** Lower-case hexadecimal SHA-256 with its algorithm, as digests are written. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

async function* limited(content: AsyncIterable<Uint8Array>, bytesMax: number): AsyncIterable<Uint8Array> {
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new LayerTooLarge();
    yield chunk;
  }
}
