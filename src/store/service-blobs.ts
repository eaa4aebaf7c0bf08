/** The blobs of one service: their names, and their removal once no row names them, after a crash too. */
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { Log } from "../telemetry/log.ts";
import type { Blobs } from "./blobs.ts";
import type { Database, Reader } from "./database.ts";

/** With several servers on one store, a blob that no row names may be one that another server is still writing. */
const SHARED_ORPHAN_AGE_MS = 7 * 24 * 3_600_000;

export interface ServiceBlobsDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly blobs: Blobs;
  readonly log: Log;
}

/** What is the service's own. */
export interface BlobOwner {
  /** First part of each name: `s3`. */
  readonly folder: string;
  /** For the log: `S3 object`. */
  readonly what: string;
  /** Names that can be asked for at once. */
  readonly namesPerLook: number;
  /** Those of the names that rows name. */
  referenced(reader: Reader, names: readonly string[]): Promise<Set<string>>;
}

export class ServiceBlobs {
  readonly #deps: ServiceBlobsDeps;
  readonly #owner: BlobOwner;
  /** Tells the blobs of this process from those an earlier one left. */
  readonly #boot: string;
  readonly #removals = new Set<Promise<void>>();
  #sweep: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(deps: ServiceBlobsDeps, owner: BlobOwner) {
    this.#deps = deps;
    this.#owner = owner;
    this.#boot = deps.ids.hex(16);
  }

  /** `s3/<two hex digits>/<boot>-<time>-<random>`, used once: the digits spread the files over folders. */
  newName(): string {
    const random = this.#deps.ids.hex(16);
    const time = this.#deps.clock.now().toString(16);
    return `${this.#owner.folder}/${random.slice(0, 2)}/${this.#boot}-${time}-${random}`;
  }

  /** Removes a blob that no row names any more; who reads it reads on. */
  remove(name: string): void {
    const removal = this.#deps.blobs
      .delete(name)
      .catch((error: unknown) => this.#deps.log.warn("A blob could not be removed", { name, error }))
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  /** Begins to remove what an earlier process stored and never committed, or replaced and never removed. */
  startSweep(): void {
    this.#sweep = this.#removeOrphans().catch((error: unknown) => {
      this.#deps.log.error(`Looking for blobs that no ${this.#owner.what} names has failed`, { error });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#sweep;
    await Promise.all(this.#removals);
  }

  async #removeOrphans(): Promise<void> {
    let batch: string[] = [];
    for await (const name of this.#deps.blobs.list(`${this.#owner.folder}/`)) {
      if (this.#stopped) return;
      if (this.#mayBeOrphan(name)) batch.push(name);
      if (batch.length === this.#owner.namesPerLook) {
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
    const referenced = await this.#owner.referenced(this.#deps.database, names);
    const orphans = names.filter((name) => !referenced.has(name));
    for (const name of orphans) await this.#deps.blobs.delete(name);
    if (orphans.length > 0)
      this.#deps.log.info(`Removed blobs that no ${this.#owner.what} names`, { count: orphans.length });
  }
}
