/** Makes changes of folders (new, renamed and removed entries) durable, many of one folder by one sync. */
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { SharedSync } from "../shared-sync.ts";

export class FolderSyncs {
  readonly #syncs = new Map<string, { sync: SharedSync; users: number }>();

  /** Resolves once the entries that the folder has now are durable. */
  async changed(folder: string): Promise<void> {
    const entry = this.#syncs.get(folder) ?? { sync: new SharedSync(() => syncFolder(folder)), users: 0 };
    this.#syncs.set(folder, entry);
    entry.users += 1;
    try {
      await entry.sync.changed();
    } finally {
      entry.users -= 1;
      if (entry.users === 0) this.#syncs.delete(folder);
    }
  }

  /** Makes the folder and those above it that are missing, durably. */
  async make(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made)) {
      await this.changed(dirname(made));
    }
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
