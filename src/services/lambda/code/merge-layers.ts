/** Lays the unpacked contents of layers over one another, as the function finds them at /opt: what comes later is on top. */
import { link, lstat, mkdir, readdir, readlink, rm, symlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { refuseEscape } from "./unpack.ts";

/**
 * Merges folders into `target`, an empty folder. Files are hard links, so that nothing is copied: both are only ever read.
 * @throws InvalidParameterValueException where links of several layers lead out of the folder together.
 */
export async function mergeLayers(folders: readonly string[], target: string): Promise<void> {
  const links = new Set<string>();
  for (const folder of folders) await lay(folder, target, links);
  for (const path of links) await refuseEscape(target, relative(target, path));
}

async function lay(from: string, to: string, links: Set<string>): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, path] = [join(from, entry.name), join(to, entry.name)];
    const below = await lstat(path).catch(() => undefined);
    // Also a link in the place of a folder: nothing is laid through it.
    if (below && !(below.isDirectory() && entry.isDirectory())) {
      await rm(path, { recursive: true, force: true });
      for (const one of links) if (one === path || one.startsWith(`${path}/`)) links.delete(one);
    }
    if (entry.isDirectory()) {
      if (!below?.isDirectory()) await mkdir(path, { mode: 0o755 });
      await lay(source, path, links);
    } else if (entry.isSymbolicLink()) {
      await symlink(await readlink(source), path);
      links.add(path);
    } else await link(source, path);
  }
}
