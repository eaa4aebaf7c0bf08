/** The files that hold layers and parts of them. A name is used once, so that what is removed is never what has just come. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Blobs, ByteRange } from "../../store/blobs.ts";
import type { Database } from "../../store/database.ts";
import type { Log } from "../../telemetry/log.ts";
import { NAMES_PER_LOOK, referencedBlobs } from "./store-layers.ts";

/** With several servers on one store, a file that no row names may be one that another server is still writing. */
const SHARED_ORPHAN_AGE_MS = 7 * 24 * 3_600_000;

const PREFIX = "ecr/";

/** Bytes that are on disk, to be named by a row or given to `discard`. */
export interface Received {
  readonly blobName: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** More came than a layer may have. */
export class LayerTooLarge extends Error {}

interface Deps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly blobs: Blobs;
  readonly log: Log;
}

export class LayerFiles {
  readonly #deps: Deps;
  /** Tells the files of this process from those an earlier one left. */
  readonly #boot: string;
  readonly #removals = new Set<Promise<void>>();
  #sweep: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#boot = deps.ids.hex(16);
  }

  /** Stores what comes, as it comes, and digests it on the way. @throws LayerTooLarge above `bytesMax`. */
  async receive(content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Received> {
    const blobName = this.#newName();
    const source = Readable.from(limited(content, bytesMax), { objectMode: false });
    return { blobName, ...(await this.#deps.blobs.put(blobName, source)) };
  }

  /** One file of several, in order. */
  async join(parts: readonly string[]): Promise<Received> {
    const blobName = this.#newName();
    return { blobName, ...(await this.#deps.blobs.concat(blobName, parts)) };
  }

  /** @throws BlobNotFound where it was removed since its row was read. */
  read(blobName: string, range?: ByteRange): Promise<Readable> {
    return this.#deps.blobs.read(blobName, range);
  }

  /** Removes files that no row names any more; who reads one reads on. */
  discard(names: readonly string[]): void {
    for (const name of names) {
      const removal = this.#deps.blobs
        .delete(name)
        .catch((error: unknown) =>
          this.#deps.log.warn("A layer's file could not be removed", { name, error }),
        )
        .finally(() => this.#removals.delete(removal));
      this.#removals.add(removal);
    }
  }

  /** Begins to remove what an earlier process stored and no row names. */
  startSweep(): void {
    this.#sweep = this.#removeOrphans().catch((error: unknown) => {
      this.#deps.log.error("Looking for files that no layer names has failed", { error });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#sweep;
    await Promise.all(this.#removals);
  }

  /** `ecr/<two hex digits>/<boot>-<time>-<random>`: the digits spread the files over folders. */
  #newName(): string {
    const random = this.#deps.ids.hex(16);
    return `${PREFIX}${random.slice(0, 2)}/${this.#boot}-${this.#deps.clock.now().toString(16)}-${random}`;
  }

  async #removeOrphans(): Promise<void> {
    let batch: string[] = [];
    for await (const name of this.#deps.blobs.list(PREFIX)) {
      if (this.#stopped) return;
      if (this.#mayBeOrphan(name)) batch.push(name);
      if (batch.length === NAMES_PER_LOOK) {
        await this.#removeUnreferenced(batch);
        batch = [];
      }
    }
    if (batch.length > 0) await this.#removeUnreferenced(batch);
  }

  #mayBeOrphan(name: string): boolean {
    const [boot, time = ""] = (name.split("/").at(-1) ?? "").split("-");
    if (boot === this.#boot) return false;
    const age = this.#deps.clock.now() - Number.parseInt(time, 16);
    return this.#deps.database.engine === "sqlite" || age > SHARED_ORPHAN_AGE_MS;
  }

  async #removeUnreferenced(names: readonly string[]): Promise<void> {
    const referenced = await referencedBlobs(this.#deps.database, names);
    const orphans = names.filter((name) => !referenced.has(name));
    for (const name of orphans) await this.#deps.blobs.delete(name);
    if (orphans.length > 0)
      this.#deps.log.info("Removed files that no layer names", { count: orphans.length });
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
