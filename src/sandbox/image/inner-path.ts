/** Paths inside an image as the host sees them: no link of the image's leads out of it. */
import { lstat, readlink } from "node:fs/promises";
import type { Stats } from "node:fs";

const LINKS_MAX = 40;

export interface InnerFile {
  /** On the host. */
  readonly path: string;
  /** Of what links lead to. */
  readonly info: Stats;
}

/** What a path inside a root leads to; undefined where there is nothing. */
export async function findInside(root: string, inner: string): Promise<InnerFile | undefined> {
  const ahead = inner.split("/");
  let way: string[] = [];
  for (let links = 0; ahead.length > 0;) {
    const part = ahead.shift();
    if (part === undefined || part === "" || part === ".") continue;
    if (part === "..") {
      way.pop();
      continue;
    }
    const path = [root, ...way, part].join("/");
    const info = await lstat(path).catch(() => undefined);
    if (!info) return undefined;
    if (!info.isSymbolicLink()) {
      way.push(part);
      continue;
    }
    if (++links > LINKS_MAX) return undefined;
    const target = await readlink(path);
    if (target.startsWith("/")) way = [];
    ahead.unshift(...target.split("/"));
  }
  const path = [root, ...way].join("/");
  return { path, info: await lstat(path) };
}
