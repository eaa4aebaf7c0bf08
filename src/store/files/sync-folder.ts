/** Makes changes of folders (new, renamed and removed entries) durable, many of one folder by one sync. */
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { SharedSync } from "../shared-sync.ts";
import type { Gate } from "./gate.ts";

/** Folders remembered as durably there. */
const KNOWN_MAX = 10_000;

export class FolderSyncs {
  readonly #gate: Gate;
  readonly #syncs = new Map<string, { sync: SharedSync; users: number }>();
  readonly #known = new Map<string, Promise<void>>();

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** Resolves once the entries that the folder has now are durable. */
  async changed(folder: string): Promise<void> {
    const entry = this.#syncs.get(folder) ?? {
      sync: new SharedSync(() => this.#gate.run(() => syncFolder(folder))),
      users: 0,
    };
    this.#syncs.set(folder, entry);
    entry.users += 1;
    try {
      await entry.sync.changed();
    } finally {
      entry.users -= 1;
      if (entry.users === 0) this.#syncs.delete(folder);
    }
  }

  /**
   * Makes the folder, and those above it up to `root`, which is there. Resolves once all are durable, also those that
   * an earlier process made, or another caller is just making.
   */
  make(folder: string, root: string): Promise<void> {
    if (folder === root) return Promise.resolve();
    const known = this.#known.get(folder);
    if (known !== undefined) return known;
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    const made = this.#make(folder, root);
    this.#known.set(folder, made);
    made.catch(() => this.#known.delete(folder));
    return made;
  }

  async #make(folder: string, root: string): Promise<void> {
    await this.make(dirname(folder), root);
    await mkdir(folder, { recursive: true });
    await this.changed(dirname(folder));
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
