/**
 * Writes the entries of one layer below a folder. All calls are synchronous: this runs in a thread of its own. What a layer takes away from
 * those below it (whiteouts) is noted and not written, since how that is said depends on how a root is put together.
 */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import type { Stats } from "node:fs";
import { ImageError } from "./image-error.ts";
import { Places } from "./places.ts";
import type { TarEntry, TarSink } from "./tar-reader.ts";

/** Entries of one layer: each takes an inode whatever its size. */
const ENTRIES_MAX = 2_000_000;
const PATH_BYTES_MAX = 4_096;

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/** What a layer does to those below it: paths from its root. */
export interface Removals {
  /** Gone, with all below them. */
  readonly whiteouts: readonly string[];
  /** Folders of which only what this layer has is there. */
  readonly opaque: readonly string[];
}

export class LayerTree implements TarSink {
  readonly #root: string;
  /** Whether files can be given to whom the image says. */
  readonly #owners: boolean;
  readonly #places: Places;
  readonly #whiteouts: string[] = [];
  readonly #opaque: string[] = [];
  /** Modes of folders, set at the end: one may be closed to its own owner. */
  readonly #folderModes = new Map<string, number>();
  #file: { readonly fd: number; readonly entry: TarEntry } | undefined;
  #entries = 0;

  /** @param root An empty folder. */
  constructor(root: string, owners: boolean) {
    this.#root = root;
    this.#owners = owners;
    this.#places = new Places(root);
  }

  get entries(): number {
    return this.#entries;
  }

  /** Ends the work on it; answers what it takes away. */
  finish(): Removals {
    for (const [path, mode] of this.#folderModes) chmodSync(path, mode);
    return { whiteouts: this.#whiteouts, opaque: this.#opaque };
  }

  /** Gives up; nothing stays open. */
  abandon(): void {
    if (this.#file) closeSync(this.#file.fd);
    this.#file = undefined;
  }

  begin(entry: TarEntry): void {
    if (++this.#entries > ENTRIES_MAX)
      throw refused(`a layer has more than ${ENTRIES_MAX} files and folders`);
    const parts = partsOf(entry.path);
    const name = parts.pop();
    if (name === undefined) {
      // The root itself.
      if (entry.kind === "folder") this.#folderModes.set(this.#root, entry.mode);
      return;
    }
    if (name.startsWith(WHITEOUT)) this.#note(parts, name);
    else this.#write(entry, this.#places.folder(parts), name, parts);
  }

  data(chunk: Buffer): void {
    if (!this.#file) return;
    for (let written = 0; written < chunk.length;)
      written += writeSync(this.#file.fd, chunk, written, chunk.length - written);
  }

  end(): void {
    if (!this.#file) return;
    const { fd, entry } = this.#file;
    this.#file = undefined;
    if (this.#owners) fchownSync(fd, entry.uid, entry.gid);
    // After the owner, which takes setuid away.
    fchmodSync(fd, this.#owners ? entry.mode : entry.mode & 0o777);
    // Python, for one, takes its compiled files for old when their sources seem newer.
    futimesSync(fd, entry.modifiedAt, entry.modifiedAt);
    closeSync(fd);
  }

  #note(parts: readonly string[], name: string): void {
    if (name === OPAQUE) this.#opaque.push(parts.join("/"));
    else if (!name.startsWith(`${WHITEOUT}${WHITEOUT}`)) {
      const gone = name.slice(WHITEOUT.length);
      if (gone === "" || gone === "." || gone === "..") throw refused(`${name} takes nothing away`);
      this.#whiteouts.push([...parts, gone].join("/"));
    }
  }

  #write(entry: TarEntry, folder: string, name: string, parents: readonly string[]): void {
    const path = `${folder}/${name}`;
    const before = lstatSync(path, { throwIfNoEntry: false });
    if (before) this.#makeWay(path, before, entry);
    switch (entry.kind) {
      case "file":
        this.#file = { fd: openSync(path, "wx", 0o600), entry };
        return;
      case "folder":
        if (!before?.isDirectory()) mkdirSync(path, 0o700);
        this.#folderModes.set(path, this.#owners ? entry.mode : entry.mode | 0o700);
        if (this.#owners) lchownSync(path, entry.uid, entry.gid);
        this.#places.made(path);
        return;
      case "link":
        symlinkSync(entry.target, path);
        if (this.#owners) lchownSync(path, entry.uid, entry.gid);
        return;
      case "hardLink":
        return this.#link(entry, path);
      default:
        // What lies in /dev is covered by the sandbox's own; a device anywhere else would be one of the host's.
        if (parents[0] !== "dev")
          throw refused(`${entry.path} is a device or a pipe, which an image may not bring`);
    }
  }

  #makeWay(path: string, before: Stats, entry: TarEntry): void {
    if (before.isDirectory() && entry.kind === "folder") return;
    rmSync(path, { recursive: true, force: true });
    if (before.isDirectory())
      for (const folder of this.#folderModes.keys())
        if (folder === path || folder.startsWith(`${path}/`)) this.#folderModes.delete(folder);
    if (before.isDirectory() || before.isSymbolicLink()) this.#places.forget();
  }

  #link(entry: TarEntry, path: string): void {
    const parts = partsOf(entry.target);
    const name = parts.pop() ?? "";
    const target = `${this.#places.folder(parts)}/${name}`;
    const info = lstatSync(target, { throwIfNoEntry: false });
    if (name === "" || !info || info.isDirectory())
      throw refused(`${entry.path} is a link to ${entry.target}, which its layer does not have`);
    linkSync(target, path);
  }
}

/** The names on the way to a path, which is from the root however it is written. @throws ImageError */
function partsOf(path: string): string[] {
  if (path.length > PATH_BYTES_MAX || path.includes("\0"))
    throw refused("a layer has a path that is too long");
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refused(`${path} leads out of the image`);
  return parts;
}

function refused(why: string): ImageError {
  return new ImageError("invalid", why);
}
