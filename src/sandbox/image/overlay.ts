/** A root file system laid over layers by the kernel: nothing is copied, and all sandboxes of an image share one mount. */
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { nodeFfi } from "../node-ffi.ts";
import { SandboxError } from "../sandbox.ts";
import type { Removals } from "./layer-tree.ts";
import { Places } from "./places.ts";

export interface Overlay {
  /** Writes into a layer's folder what it takes away from those below it, in the kernel's own way. Once for each layer. */
  writeRemovals(folder: string, removals: Removals): void;
  /**
   * Mounts folders over one another, read-only, nosuid and nodev.
   * @param folders The topmost is first; at least two.
   * @param links A folder that does not exist.
   */
  mount(folders: readonly string[], target: string, links: string): void;
  detach(target: string): void;
}

// From linux/mount.h and linux/stat.h.
const READ_ONLY_NOSUID_NODEV = 1n | 2n | 4n;
const MNT_DETACH = 2;
const CHARACTER_DEVICE = 0o020_000;

/** The calls of this machine; undefined where Node or the kernel has none of them, or the server may not mount. Tried in `trial`. */
export function overlayOf(trial: string): Overlay | undefined {
  const overlay = libraryOverlay();
  if (overlay === undefined) return undefined;
  const at = (name: string) => join(trial, name);
  rmSync(trial, { recursive: true, force: true });
  try {
    for (const name of ["upper/folder", "lower/folder", "root"]) mkdirSync(at(name), { recursive: true });
    mkdirSync(at("lower/folder/inner"));
    mkdirSync(at("lower/gone"));
    overlay.writeRemovals(at("upper"), { whiteouts: ["gone"], opaque: ["folder"] });
    overlay.mount([at("upper"), at("lower")], at("root"), at("links"));
    const works = !existsSync(at("root/gone")) && !existsSync(at("root/folder/inner"));
    overlay.detach(at("root"));
    return works ? overlay : undefined;
  } catch {
    return undefined;
  } finally {
    rmSync(trial, { recursive: true, force: true });
  }
}

function libraryOverlay(): Overlay | undefined {
  const calls = loadLibrary();
  if (calls === undefined || process.getuid?.() !== 0) return undefined;
  const makeOpaque = (path: string) => {
    if (calls.lsetxattr(path, "trusted.overlay.opaque", Buffer.from("y"), 1n, 0) !== 0)
      throw new SandboxError(`cannot mark ${path} as a folder that hides those below it`);
  };
  return {
    writeRemovals(folder, { whiteouts, opaque }) {
      const places = new Places(folder);
      // Of the root the kernel asks nothing: who mounts leaves out what is below.
      for (const path of opaque) if (path !== "") makeOpaque(places.folder(path.split("/")));
      for (const path of whiteouts) {
        const parts = path.split("/");
        const target = `${places.folder(parts.slice(0, -1))}/${parts.at(-1)}`;
        const own = lstatSync(target, { throwIfNoEntry: false });
        // What the layer itself has there hides what was below; of a folder that has to be said.
        if (own?.isDirectory()) makeOpaque(target);
        else if (!own && calls.mknod(target, CHARACTER_DEVICE, 0n) !== 0)
          throw new SandboxError(`cannot write that ${target} is gone`);
      }
    },
    mount(folders, target, links) {
      // The kernel takes one page of options: 127 layers fit in by names of a few characters, whatever the folders are called.
      mkdirSync(links);
      folders.forEach((folder, number) => symlinkSync(folder, join(links, String(number))));
      const descriptor = openSync(links, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        const lower = folders.map((_, number) => `/proc/self/fd/${descriptor}/${number}`).join(":");
        if (calls.mount("lambent", target, "overlay", READ_ONLY_NOSUID_NODEV, `lowerdir=${lower}`) !== 0)
          throw new SandboxError(
            `the kernel does not mount an overlay of ${folders.length} folders at ${target}`,
          );
      } finally {
        closeSync(descriptor);
        rmSync(links, { recursive: true, force: true });
      }
    },
    detach: (target) => void calls.umount2(target, MNT_DETACH),
  };
}

function loadLibrary() {
  try {
    return nodeFfi()?.dlopen(null, {
      mount: { arguments: ["string", "string", "string", "uint64", "string"], return: "int32" },
      umount2: { arguments: ["string", "int32"], return: "int32" },
      mknod: { arguments: ["string", "uint32", "uint64"], return: "int32" },
      lsetxattr: { arguments: ["string", "string", "buffer", "uint64", "int32"], return: "int32" },
    }).functions;
  } catch {
    return undefined;
  }
}
