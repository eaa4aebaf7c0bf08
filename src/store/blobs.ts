/** Large bytes: function code, S3 objects, large payloads. A put that resolved survives `kill -9` and power loss. */
import type { Readable } from "node:stream";

export interface BlobInfo {
  readonly bytes: number;
  /** Lower-case hex SHA-256 of the content. */
  readonly sha256: string;
}

export interface ByteRange {
  /** First byte, inclusive. */
  readonly start: number;
  /** Last byte, inclusive. */
  readonly end: number;
}

export interface Blobs {
  /** Stores a stream under a name of the caller's choosing (`[a-z0-9/._-]+`, no `..`), replacing atomically. */
  put(name: string, content: Readable | Uint8Array): Promise<BlobInfo>;
  /** Stores by content: the name is `<prefix>/<sha256>`; a second put of the same bytes costs no space. */
  putByContent(prefix: string, content: Readable | Uint8Array): Promise<BlobInfo & { name: string }>;
  /** Joins stored parts into one blob, in order, without passing them through memory. */
  concat(name: string, parts: readonly string[]): Promise<BlobInfo>;
  /**
   * Reads the whole or a range, of what was stored at the call, even when it is replaced or deleted meanwhile. The
   * stream is to be read to its end or destroyed. Throws BlobNotFound, and RangeError for bytes that are not there.
   */
  read(name: string, range?: ByteRange): Promise<Readable>;
  readAll(name: string): Promise<Buffer>;
  /** The file, for a reader in another thread; it is there as long as the blob is. */
  path(name: string): string;
  stat(name: string): Promise<{ bytes: number } | undefined>;
  /** Durable as a put is; nothing happens when there is none. */
  delete(name: string): Promise<void>;
  /** Names that begin so, in the order of their bytes. */
  list(prefix: string): AsyncIterable<string>;
}

export class BlobNotFound extends Error {
  constructor(name: string) {
    super(`No blob named ${name} is stored`);
    this.name = "BlobNotFound";
  }
}
