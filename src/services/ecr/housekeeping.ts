/** Removes in the background what has had its time: images by lifecycle policies, layers that no manifest names, uploads that rest. */
import type { Clock } from "../../kit/clock.ts";
import { BackgroundWork } from "../../kit/background-work.ts";
import type { Database } from "../../store/database.ts";
import type { Log } from "../../telemetry/log.ts";
import type { LayerFiles } from "./layer-files.ts";
import { applyLifecyclePolicies } from "./lifecycle/apply.ts";
import { HOUSEKEEPING_MS, UPLOAD_IDLE_MS } from "./limits.ts";
import { deleteUnusedBlobs, unlinkFreeLayers } from "./store-layers.ts";
import { listIdleUploads } from "./store-uploads.ts";
import { dropUpload } from "./uploads.ts";

const ROWS_PER_TRANSACTION = 200;

interface Deps {
  readonly clock: Clock;
  readonly database: Database;
  readonly files: LayerFiles;
  readonly log: Log;
}

export class Housekeeping {
  readonly #deps: Deps;
  readonly #sweeps: BackgroundWork;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#sweeps = new BackgroundWork({
      work: (signal) => this.#sweep(signal),
      failed: (error) => deps.log.error("What has expired of the registry could not be removed", { error }),
    });
  }

  /** Now, and from now on every hour. */
  start(): void {
    this.#sweeps.every(this.#deps.clock, HOUSEKEEPING_MS).soon();
  }

  /** In the background; once more where it is under way, since that may have missed what is new. */
  runSoon(): void {
    this.#sweeps.soon();
  }

  stop(): Promise<void> {
    return this.#sweeps.stop();
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { database, clock, files } = this.#deps;
    await applyLifecyclePolicies(this.#deps, signal);
    const before = clock.now() - UPLOAD_IDLE_MS;
    for (const { upload_id: id } of await listIdleUploads(database, before, ROWS_PER_TRANSACTION))
      await dropUpload(this.#deps, id);
    await database.tx((tx) => unlinkFreeLayers(tx, clock.now()));
    while (!signal.aborted) {
      const unused = await database.tx((tx) => deleteUnusedBlobs(tx, ROWS_PER_TRANSACTION));
      files.discard(unused.map(({ blob_name }) => blob_name));
      if (unused.length < ROWS_PER_TRANSACTION) return;
    }
  }
}
