/** A root file system put together from layers by hard links, where the kernel mounts no overlay. */
import {
  copyFile,
  chmod,
  lchown,
  link,
  lstat,
  mkdir,
  readdir,
  readlink,
  rm,
  symlink,
} from "node:fs/promises";
import { join } from "node:path";
import type { Removals } from "./layer-tree.ts";

interface Layer {
  readonly folder: string;
  readonly removals: Removals;
}

/** Lays layers over one another in an empty folder. @param layers The lowest is first. */
export async function linkRoot(layers: readonly Layer[], target: string): Promise<void> {
  for (const { folder, removals } of layers) {
    for (const path of removals.opaque) await empty(target, path);
    for (const path of removals.whiteouts) await take(target, path);
    await lay(folder, target);
  }
}

async function lay(from: string, to: string): Promise<void> {
  await alike(from, to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, path] = [join(from, entry.name), join(to, entry.name)];
    // A whiteout of the kernel's kind, where layers were mounted before.
    if (entry.isCharacterDevice()) continue;
    const below = await lstat(path).catch(() => undefined);
    if (below && !(below.isDirectory() && entry.isDirectory()))
      await rm(path, { recursive: true, force: true });
    if (entry.isDirectory()) {
      if (!below?.isDirectory()) await mkdir(path);
      await lay(source, path);
    } else if (entry.isSymbolicLink()) await symlink(await readlink(source), path);
    else await link(source, path).catch(() => copy(source, path));
  }
}

/** Where a file has as many links as its file system allows. */
async function copy(source: string, path: string): Promise<void> {
  await copyFile(source, path);
  await alike(source, path);
}

/** Owner and mode. */
async function alike(source: string, path: string): Promise<void> {
  const { uid, gid, mode } = await lstat(source);
  if (process.getuid?.() === 0) await lchown(path, uid, gid);
  await chmod(path, mode & 0o7777);
}

async function empty(root: string, path: string): Promise<void> {
  const folder = await placeOf(root, path);
  if (folder === undefined || !(await lstat(folder).catch(() => undefined))?.isDirectory()) return;
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}

async function take(root: string, path: string): Promise<void> {
  const place = await placeOf(root, path);
  if (place !== undefined) await rm(place, { recursive: true, force: true });
}

/** The path on the host; undefined where a link is on the way, which is followed nowhere. */
async function placeOf(root: string, path: string): Promise<string | undefined> {
  let place = root;
  const parts = path.split("/");
  for (const part of parts.slice(0, -1)) {
    place = join(place, part);
    if (!(await lstat(place).catch(() => undefined))?.isDirectory()) return undefined;
  }
  return join(place, parts.at(-1) ?? "");
}
