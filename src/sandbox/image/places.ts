/** Folders of a layer that is being written: found, or made, without ever leaving the layer by a link that it brought. */
import { lstatSync, mkdirSync, readlinkSync } from "node:fs";
import { ImageError } from "./image-error.ts";

const LINKS_MAX = 40;
/** Where a folder is not named by the archive itself. */
const FOLDER_MODE = 0o755;

export class Places {
  readonly #root: string;
  /** Folders that are no links, so that not each file's whole way is looked at. */
  readonly #known = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The folder with these names on its way, on the host. @throws ImageError where a file or a circle of links is in the way. */
  folder(parts: readonly string[]): string {
    const key = parts.join("/");
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = this.#walk(parts);
    this.#known.set(key, found);
    return found;
  }

  /** A folder was made; nothing known changes by it. */
  made(path: string): void {
    this.#known.set(path.slice(this.#root.length + 1), path);
  }

  /** A link or a folder is gone: ways through it lead elsewhere now. */
  forget(): void {
    this.#known.clear();
  }

  #walk(parts: readonly string[]): string {
    const ahead = [...parts];
    let way: string[] = [];
    for (let links = 0; ahead.length > 0;) {
      const part = ahead.shift() as string;
      if (part === "" || part === ".") continue;
      if (part === "..") {
        way.pop();
        continue;
      }
      const path = [this.#root, ...way, part].join("/");
      const info = lstatSync(path, { throwIfNoEntry: false });
      if (info?.isSymbolicLink()) {
        if (++links > LINKS_MAX) throw new ImageError("invalid", `${parts.join("/")} is a circle of links`);
        const target = readlinkSync(path);
        if (target.startsWith("/")) way = [];
        ahead.unshift(...target.split("/"));
        continue;
      }
      if (info && !info.isDirectory())
        throw new ImageError("invalid", `${parts.join("/")} leads through what is no folder`);
      if (!info) mkdirSync(path, FOLDER_MODE);
      way.push(part);
    }
    return [this.#root, ...way].join("/");
  }
}
