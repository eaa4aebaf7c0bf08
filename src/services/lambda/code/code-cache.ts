/**
 * Which unpacked code may go when there is too much of it: a cache of folders, bounded in bytes, in which what an execution environment
 * has mounted stays. What goes is unpacked from its zip again when somebody wants it.
 */

interface Folder {
  readonly bytes: number;
  /** Environments that hold it, and those that boot with it. */
  users: number;
}

export class CodeCache {
  readonly #bytesMax: number;
  /** The least recently used is first. */
  readonly #folders = new Map<string, Folder>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** A folder is there now. */
  added(name: string, bytes: number): void {
    const users = this.#folders.get(name)?.users ?? 0;
    this.removed(name);
    this.#folders.set(name, { bytes, users });
    this.#bytes += bytes;
  }

  /** A folder is gone. Who holds it (and waits for it to be there again) still does. */
  removed(name: string): void {
    const folder = this.#folders.get(name);
    if (!folder) return;
    this.#bytes -= folder.bytes;
    if (folder.users > 0) this.#folders.set(name, { bytes: 0, users: folder.users });
    else this.#folders.delete(name);
  }

  /** Keeps a folder, whether or not it is there yet, until the answer is called. */
  hold(name: string): () => void {
    const folder = this.#folders.get(name) ?? { bytes: 0, users: 0 };
    folder.users += 1;
    this.#folders.delete(name);
    this.#folders.set(name, folder);
    let held = true;
    return () => {
      const now = this.#folders.get(name);
      if (held && now) {
        now.users -= 1;
        if (now.users === 0 && now.bytes === 0) this.#folders.delete(name);
      }
      held = false;
    };
  }

  isHeld(name: string): boolean {
    return (this.#folders.get(name)?.users ?? 0) > 0;
  }

  /** The folders that nobody holds and that have to go, so that the rest is within the bound; the least recently used first. */
  excess(): string[] {
    const names: string[] = [];
    let over = this.#bytes - this.#bytesMax;
    for (const [name, { bytes, users }] of this.#folders) {
      if (over <= 0) break;
      if (users > 0 || bytes === 0) continue;
      names.push(name);
      over -= bytes;
    }
    return names;
  }
}
