/** Layers as folders, by the digest of what is in them: each is unpacked once, whichever images and functions have it. */
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ids } from "../../kit/id.ts";
import type { LayerJob } from "./layer-job.ts";
import { LayerWorkers } from "./layer-workers.ts";
import type { Removals } from "./layer-tree.ts";
import type { Overlay } from "./overlay.ts";

export interface Layer extends Removals {
  /** `sha256:…` of the layer as it is unpacked. */
  readonly diffId: string;
  /** Host folder with its files. */
  readonly folder: string;
  /** Unpacked, in bytes. */
  readonly bytes: number;
  /** Whether what it takes away is written into the folder too. */
  readonly isWritten: boolean;
}

interface Deps {
  readonly folder: string;
  readonly ids: Ids;
  readonly overlay: Overlay | undefined;
}

/** Files of a layer's folder. */
const TREE = "fs";
const RECORD = "layer.json";

export class LayerStore {
  readonly #deps: Deps;
  readonly #layers = new Map<string, Layer>();
  readonly #pulls = new Map<string, Promise<Layer>>();
  readonly #workers = new LayerWorkers();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Finds what is there; what is half done, or not wanted by anybody, goes. */
  async open(wanted: (diffId: string) => boolean): Promise<void> {
    const { folder } = this.#deps;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const text = await readFile(join(path, RECORD), "utf8").catch(() => undefined);
      const diffId = `sha256:${name}`;
      if (text === undefined || !wanted(diffId)) await rm(path, { recursive: true, force: true });
      else this.#layers.set(diffId, { ...(JSON.parse(text) as Layer), diffId, folder: join(path, TREE) });
    }
  }

  get(diffId: string): Layer | undefined {
    return this.#layers.get(diffId);
  }

  /** One that is there, or is fetched now. @throws ImageError */
  async have(job: Omit<LayerJob, "folder" | "owners">): Promise<Layer> {
    const { diffId } = job;
    for (;;) {
      const there = this.#layers.get(diffId);
      if (there) return there;
      const others = this.#pulls.get(diffId);
      if (!others) break;
      // Another image's pull may fail for reasons of that image, and then it is our turn.
      const layer = await others.catch(() => undefined);
      if (layer) return layer;
    }
    const pull = this.#pull(job).finally(() => this.#pulls.delete(diffId));
    this.#pulls.set(diffId, pull);
    return pull;
  }

  /** Renamed first, so that a folder that is there is always whole, whenever the server is killed. */
  async remove(diffId: string): Promise<void> {
    if (!this.#layers.delete(diffId)) return;
    const doomed = this.#staging();
    await rename(this.#path(diffId), doomed);
    await rm(doomed, { recursive: true, force: true });
  }

  /** Writes into a layer's folder what it takes away, where that has not been done: a server without overlays unpacked it. */
  async write(layer: Layer, overlay: Overlay): Promise<void> {
    if (layer.isWritten) return;
    overlay.writeRemovals(layer.folder, layer);
    const written = { ...layer, isWritten: true };
    await writeFile(join(this.#path(layer.diffId), RECORD), JSON.stringify(written));
    this.#layers.set(layer.diffId, written);
  }

  close(): Promise<void> {
    return this.#workers.close();
  }

  async #pull(job: Omit<LayerJob, "folder" | "owners">): Promise<Layer> {
    const { overlay } = this.#deps;
    const { diffId } = job;
    const staging = this.#staging();
    try {
      const tree = join(staging, TREE);
      await mkdir(staging, { mode: 0o700 });
      const unpacked = await this.#workers.unpack({ ...job, folder: tree, owners: process.getuid?.() === 0 });
      const { whiteouts, opaque, bytes } = unpacked;
      overlay?.writeRemovals(tree, unpacked);
      const record = { bytes, whiteouts, opaque, isWritten: overlay !== undefined };
      await writeFile(join(staging, RECORD), JSON.stringify(record));
      await rename(staging, this.#path(diffId));
      const layer = { ...record, diffId, folder: join(this.#path(diffId), TREE) };
      this.#layers.set(diffId, layer);
      return layer;
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }

  #path(diffId: string): string {
    return join(this.#deps.folder, diffId.slice("sha256:".length));
  }

  #staging(): string {
    return join(this.#deps.folder, `.staging-${this.#deps.ids.uuid()}`);
  }
}
