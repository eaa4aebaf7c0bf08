/** Names of blobs, and where each lies below the blobs folder. */
import { join } from "node:path";

/** Longest name, in characters. */
const NAME_MAX = 900;

/** Longest part of a name between slashes, in characters: file systems take 255 bytes. */
const PART_MAX = 200;

/** What ends the file of every blob. It is in no name, so the blob `a` and the folder of `a/b` never meet. */
const FILE_SUFFIX = "~";

/** @throws Error when the name could leave the folder or cannot be a file. */
export function assertBlobName(name: string): void {
  const parts = name.split("/");
  const isName =
    name.length <= NAME_MAX &&
    parts.every(
      (part) => /^[a-z0-9._-]+$/.test(part) && part !== "." && part !== ".." && part.length <= PART_MAX,
    );
  if (!isName) throw new Error(`"${name}" is not a name for a blob`);
}

/** The file that holds the blob. */
export function blobPath(folder: string, name: string): string {
  assertBlobName(name);
  return join(folder, name + FILE_SUFFIX);
}

/** The name of a blob by its path relative to the blobs folder; undefined for a file that is none. */
export function blobNameOf(relativePath: string): string | undefined {
  return relativePath.endsWith(FILE_SUFFIX) ? relativePath.slice(0, -FILE_SUFFIX.length) : undefined;
}
