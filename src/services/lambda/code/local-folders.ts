/**
 * Code that runs from a folder of this machine, as it stands there: for development. A function has it by the S3 bucket `lambent-local`,
 * of which the key is the folder's path.
 */
import { createHash } from "node:crypto";
import { lstat, readdir, realpath } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { AwsError } from "../../../aws/errors.ts";
import { invalidParameter } from "../errors.ts";
import type { Code } from "./code-store.ts";
import { imageOf } from "./image-code.ts";

export const LOCAL_BUCKET = "lambent-local";

/** In the place of the SHA-256 of a zip: what the folder holds is not known, and changes. */
const PREFIX = "local:";
/** Installed packages are not looked through; what npm writes beside them changes with them. */
const UNSEEN: ReadonlySet<string> = new Set([".git", "node_modules"]);
const INSTALLED = ".package-lock.json";
/** Files and folders that are looked at before an invocation; changes of others beyond are not seen. */
const ENTRIES_MAX = 10_000;

/** The folder that a code stands for; undefined for one that was stored. */
export function localFolder(codeSha256: string): string | undefined {
  return codeSha256.startsWith(PREFIX) ? codeSha256.slice(PREFIX.length) : undefined;
}

/** As the API tells it: base64 SHA-256 of the zip, or of a folder's name; of an image the digest, in hex as on AWS. */
export function codeDigest(codeSha256: string): string {
  const image = imageOf(codeSha256);
  if (image) return image.digest.slice("sha256:".length);
  return localFolder(codeSha256) === undefined
    ? Buffer.from(codeSha256, "hex").toString("base64")
    : createHash("sha256").update(codeSha256).digest("base64");
}

export function localCode(folder: string): Code {
  return { sha256: `${PREFIX}${folder}`, zipBytes: 0, unzippedBytes: 0 };
}

/** Where a developer finds the code. */
export function localLocation(folder: string): string {
  return pathToFileURL(folder).href;
}

/**
 * The folder that a key names.
 * @param allowed Folders that functions may run from, and from those below them.
 * @throws InvalidParameterValueException, saying what to do.
 */
export async function allowedFolder(key: string, allowed: readonly string[]): Promise<string> {
  if (allowed.length === 0)
    throw invalidParameter(
      `Functions run from folders of this machine (S3Bucket ${LOCAL_BUCKET}) only where that is wanted: ` +
        "start Lambent with --local-code FOLDER, of which that function's folder is one or lies in one.",
    );
  const folder = await realpath(key).catch(() => undefined);
  if (!isAbsolute(key) || folder === undefined || !(await lstat(folder)).isDirectory()) throw notThere(key);
  for (const one of allowed) {
    const below = relative(await realpath(one).catch(() => one), folder);
    if (below !== ".." && !below.startsWith("../")) return folder;
  }
  throw invalidParameter(`The folder ${key} is in none of those of --local-code: ${allowed.join(", ")}`);
}

/**
 * The same text for as long as nothing in the folder changes. Looked for anew by every invocation: one that begins after a file was saved
 * has what was saved.
 * @throws InvalidParameterValueException where the folder is not there.
 */
export async function stampOf(folder: string): Promise<string> {
  const hash = createHash("sha256");
  let left = ENTRIES_MAX;
  const look = async (path: string, name: string): Promise<void> => {
    if (--left < 0) return;
    const { mtimeMs, ctimeMs, size, ino } = await lstat(path);
    hash.update(`${name}\0${mtimeMs} ${ctimeMs} ${size} ${ino}\0`);
  };
  const walk = async (inner: string): Promise<void> => {
    for (const entry of await readdir(join(folder, inner), { withFileTypes: true })) {
      const name = join(inner, entry.name);
      if (entry.isDirectory() && UNSEEN.has(entry.name))
        await look(join(folder, name, INSTALLED), name).catch(() => {});
      // What is gone between the list and the look is seen the next time.
      else await look(join(folder, name), name).catch(() => {});
      if (entry.isDirectory() && !UNSEEN.has(entry.name) && left > 0) await walk(name);
    }
  };
  await walk("").catch(() => {
    throw notThere(folder);
  });
  return hash.digest("hex").slice(0, 16);
}

function notThere(folder: string): AwsError {
  return invalidParameter(
    `There is no folder ${folder} on this machine; the key of ${LOCAL_BUCKET} is its absolute path`,
  );
}
