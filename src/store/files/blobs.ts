/** {@link Blobs} as files: written aside, synced, renamed into place, and the folder synced. */
import { createHash } from "node:crypto";
import { close, createReadStream, fstat, mkdirSync, open as openCallback, rmSync } from "node:fs";
import type { Stats } from "node:fs";
import { open, readdir, readFile, rename, rm, stat, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import type { Ids } from "../../kit/id.ts";
import { BlobNotFound } from "../blobs.ts";
import type { BlobInfo, Blobs, ByteRange } from "../blobs.ts";
import { assertBlobName, blobNameOf, blobPath } from "./blob-name.ts";
import { Gate } from "./gate.ts";
import { FolderSyncs } from "./sync-folder.ts";

/** Bytes read at a time from a file. */
const CHUNK_BYTES = 256 * 1024;

/** Of libuv's four threads, so many may wait for the disk; the database's commits need one too. */
const SYNCS_AT_ONCE = 2;

const openFile = promisify<string, string, number>(openCallback);
const statFile = promisify<number, Stats>(fstat);
const closeFile = promisify(close);

type Chunks = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array>;

export class FileBlobs implements Blobs {
  readonly #folder: string;
  readonly #unfinished: string;
  readonly #ids: Ids;
  readonly #syncs = new Gate(SYNCS_AT_ONCE);
  readonly #folders = new FolderSyncs(this.#syncs);

  /** Uses `blobs/` and `blobs-unfinished/` of the data directory; what an earlier process left unfinished is removed. */
  constructor(dataDir: string, ids: Ids) {
    this.#ids = ids;
    this.#folder = join(dataDir, "blobs");
    this.#unfinished = join(dataDir, "blobs-unfinished");
    rmSync(this.#unfinished, { recursive: true, force: true });
    mkdirSync(this.#unfinished, { recursive: true });
    mkdirSync(this.#folder, { recursive: true });
  }

  put(name: string, content: Readable | Uint8Array): Promise<BlobInfo> {
    assertBlobName(name);
    return this.#write(chunksOf(content), () => name);
  }

  async putByContent(prefix: string, content: Readable | Uint8Array): Promise<BlobInfo & { name: string }> {
    assertBlobName(prefix);
    const info = await this.#write(chunksOf(content), ({ sha256 }) => `${prefix}/${sha256}`);
    return { ...info, name: `${prefix}/${info.sha256}` };
  }

  concat(name: string, parts: readonly string[]): Promise<BlobInfo> {
    assertBlobName(name);
    return this.#write(this.#contentsOf(parts), () => name);
  }

  async read(name: string, range?: ByteRange): Promise<Readable> {
    // A descriptor, not a FileHandle: Node ends the process when a forgotten FileHandle is collected.
    const file = await openFile(blobPath(this.#folder, name), "r").catch((error: unknown) => {
      throw isMissing(error) ? new BlobNotFound(name) : error;
    });
    try {
      const { size } = await statFile(file);
      if (range !== undefined) assertRange(name, range, size);
    } catch (error) {
      await closeFile(file);
      throw error;
    }
    return createReadStream("", { ...range, fd: file, highWaterMark: CHUNK_BYTES });
  }

  async readAll(name: string): Promise<Buffer> {
    const path = blobPath(this.#folder, name);
    return readFile(path).catch((error: unknown) => {
      throw isMissing(error) ? new BlobNotFound(name) : error;
    });
  }

  path(name: string): string {
    return blobPath(this.#folder, name);
  }

  async stat(name: string): Promise<{ bytes: number } | undefined> {
    try {
      const { size } = await stat(blobPath(this.#folder, name));
      return { bytes: size };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async delete(name: string): Promise<void> {
    const path = blobPath(this.#folder, name);
    try {
      await unlink(path);
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    await this.#folders.changed(dirname(path));
  }

  async *list(prefix: string): AsyncIterable<string> {
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    if (folder !== "") assertBlobName(folder.slice(0, -1));
    for await (const name of this.#walk(folder, prefix)) yield name;
  }

  /** Names below a folder (`""` or ending in a slash), in the order of their bytes. */
  async *#walk(folder: string, prefix: string): AsyncIterable<string> {
    const entries = await readdir(join(this.#folder, folder), { withFileTypes: true }).catch(
      (error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      },
    );
    const names = entries
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : blobNameOf(entry.name)))
      .filter((name) => name !== undefined)
      .map((name) => folder + name)
      .filter((name) => name.startsWith(prefix) || (name.endsWith("/") && prefix.startsWith(name)))
      .sort(byBytes);
    for (const name of names) {
      if (name.endsWith("/")) yield* this.#walk(name, prefix);
      else yield name;
    }
  }

  /** Writes aside, syncs, and moves to the name that the finished content gets. */
  async #write(chunks: Chunks, nameOf: (info: BlobInfo) => string): Promise<BlobInfo> {
    const temporary = join(this.#unfinished, this.#ids.uuid());
    try {
      const info = await writeFile(temporary, chunks, this.#syncs);
      const path = blobPath(this.#folder, nameOf(info));
      await this.#folders.make(dirname(path), this.#folder);
      await rename(temporary, path);
      await this.#folders.changed(dirname(path));
      return info;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async *#contentsOf(names: readonly string[]): AsyncIterable<Uint8Array> {
    for (const name of names) yield* (await this.read(name)) as AsyncIterable<Uint8Array>;
  }
}

async function writeFile(path: string, chunks: Chunks, syncs: Gate): Promise<BlobInfo> {
  const hash = createHash("sha256");
  let bytes = 0;
  const handle = await open(path, "wx", 0o600);
  try {
    for await (const chunk of chunks) {
      const buffer = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      hash.update(buffer);
      bytes += buffer.byteLength;
      await writeWhole(handle, buffer);
    }
    await syncs.run(() => handle.datasync());
  } finally {
    await handle.close();
  }
  return { bytes, sha256: hash.digest("hex") };
}

async function writeWhole(handle: FileHandle, buffer: Uint8Array): Promise<void> {
  for (let offset = 0; offset < buffer.byteLength;) {
    const { bytesWritten } = await handle.write(buffer, offset);
    offset += bytesWritten;
  }
}

function chunksOf(content: Readable | Uint8Array): Chunks {
  return content instanceof Uint8Array ? [content] : (content as AsyncIterable<Uint8Array>);
}

function assertRange(name: string, { start, end }: ByteRange, size: number): void {
  const isRange = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end;
  if (!isRange || end >= size) {
    throw new RangeError(`Bytes ${start} to ${end} are not in blob ${name}, which has ${size}`);
  }
}

function byBytes(left: string, right: string): number {
  return left < right ? -1 : 1;
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
