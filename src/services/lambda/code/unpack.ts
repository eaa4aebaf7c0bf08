/** Unpacks a function's zip into a folder: nothing outside it, nothing beyond the limit, bits that the function's user can read. */
import { createWriteStream } from "node:fs";
import { mkdir, readlink, symlink } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { Transform } from "node:stream";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import yauzl from "yauzl";
import type { Entry, ZipFile } from "yauzl";
import { AwsError } from "../../../aws/errors.ts";
import { invalidParameter } from "../errors.ts";
import { UNZIPPED_BYTES_MAX, ZIP_ENTRIES_MAX } from "../limits.ts";

/** Longest target of a symbolic link, in bytes (Linux PATH_MAX). */
const LINK_BYTES_MAX = 4_096;

/** Links that one path may lead through, as Linux has it. */
const LINKS_MAX = 40;

const S_IFMT = 0o170000;
const S_IFLNK = 0o120000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
/** Upper byte of "version made by": the attributes are Unix modes (3), or macOS's (19), which are the same. */
const UNIX_HOSTS: ReadonlySet<number> = new Set([3, 19]);

const open = promisify<string, yauzl.Options, ZipFile>(yauzl.open);

/** The content is not a zip that can be used; the text is AWS's. */
export function badZip(): AwsError {
  return invalidParameter("Could not unzip uploaded file. Please check your file, then try to upload again.");
}

/**
 * Unpacks `zipFile` into `target`, which must be an empty folder. Symbolic links are made last, so that no file is
 * written through one. Answers the bytes of all files.
 * @throws InvalidParameterValueException for a broken, empty, escaping or too large archive.
 */
export async function unpack(zipFile: string, target: string): Promise<number> {
  const zip = await open(zipFile, { lazyEntries: true, autoClose: false, strictFileNames: false }).catch(
    () => {
      throw badZip();
    },
  );
  try {
    const entries = await readEntries(zip);
    const links: Entry[] = [];
    let budget = UNZIPPED_BYTES_MAX;
    for (const entry of entries) {
      const path = join(target, entry.fileName);
      if (kind(entry) === "link") links.push(entry);
      else if (kind(entry) === "folder") await mkdir(path, { recursive: true, mode: 0o755 });
      else {
        await mkdir(dirname(path), { recursive: true, mode: 0o755 });
        budget -= await writeFile(zip, entry, path, budget);
      }
    }
    refuseLinksThroughLinks(links);
    for (const entry of links) await link(zip, entry, target);
    for (const entry of links) await refuseEscape(target, entry.fileName);
    return UNZIPPED_BYTES_MAX - budget;
  } catch (error) {
    throw isMachineFault(error) || error instanceof AwsError ? error : badZip();
  } finally {
    zip.close();
  }
}

/** Reads the whole directory first, so that what cannot be used is refused before a byte is written. */
async function readEntries(zip: ZipFile): Promise<Entry[]> {
  if (zip.entryCount === 0) throw invalidParameter("Uploaded file must be a non-empty zip");
  if (zip.entryCount > ZIP_ENTRIES_MAX) throw badZip();
  const entries: Entry[] = [];
  let declared = 0;
  await new Promise<void>((resolve, reject) => {
    zip.on("entry", (entry: Entry) => {
      entries.push(entry);
      declared += entry.uncompressedSize;
      zip.readEntry();
    });
    zip.once("end", resolve);
    zip.once("error", reject);
    zip.readEntry();
  });
  if (declared > UNZIPPED_BYTES_MAX) throw tooLarge();
  if (entries.some((entry) => entry.isEncrypted() || kind(entry) === "special")) throw badZip();
  return entries;
}

/** Writes one file, its size and checksum verified; never more than `budget` bytes, whatever the archive declares. */
async function writeFile(zip: ZipFile, entry: Entry, path: string, budget: number): Promise<number> {
  let bytes = 0;
  let sum = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      sum = crc32(chunk, sum);
      if (bytes > budget) done(tooLarge());
      else done(null, chunk);
    },
  });
  const executable = (unixMode(entry) & 0o111) !== 0;
  const file = createWriteStream(path, { flags: "w", mode: executable ? 0o755 : 0o644 });
  await pipeline(await openEntry(zip, entry), meter, file);
  if (sum !== entry.crc32) throw badZip();
  return bytes;
}

/** Making a link inside what is itself a link would write wherever that one leads, before anybody could look where. */
function refuseLinksThroughLinks(links: readonly Entry[]): void {
  const names = new Set(links.map((entry) => `${posix.normalize(entry.fileName)}/`));
  // In this order, what lies inside a link comes right behind it.
  const sorted = [...names].toSorted();
  if (sorted.some((name, at) => sorted[at + 1]?.startsWith(name))) throw badZip();
}

async function link(zip: ZipFile, entry: Entry, target: string): Promise<void> {
  if (entry.uncompressedSize > LINK_BYTES_MAX) throw badZip();
  const chunks: Buffer[] = [];
  for await (const chunk of await openEntry(zip, entry)) chunks.push(chunk as Buffer);
  const to = Buffer.concat(chunks).toString();
  const inside = posix.join(posix.dirname(entry.fileName), to);
  if (to === "" || posix.isAbsolute(to) || inside === ".." || inside.startsWith("../")) throw badZip();
  const path = join(target, entry.fileName);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await symlink(to, path);
}

/**
 * Follows a path within a folder as the kernel would, link by link: one through another can leave the folder although each looks harmless
 * alone. What is not there leads nowhere. @throws InvalidParameterValueException where it leads out of the folder, or in circles.
 */
export async function refuseEscape(folder: string, name: string): Promise<void> {
  const at: string[] = [];
  const ahead = name.split("/");
  let links = 0;
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.pop() === undefined) throw badZip();
      continue;
    }
    at.push(part);
    const to = await readlink(join(folder, ...at)).catch(() => undefined);
    if (to === undefined) continue;
    if (posix.isAbsolute(to) || ++links > LINKS_MAX) throw badZip();
    at.pop();
    ahead.unshift(...to.split("/"));
  }
}

function openEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
}

function kind(entry: Entry): "file" | "folder" | "link" | "special" {
  const type = unixMode(entry) & S_IFMT;
  if (entry.fileName.endsWith("/")) return "folder";
  if (type === S_IFLNK) return "link";
  return type === 0 || type === S_IFREG || type === S_IFDIR ? "file" : "special";
}

export function unixMode(entry: Entry): number {
  return UNIX_HOSTS.has(entry.versionMadeBy >>> 8) ? entry.externalFileAttributes >>> 16 : 0;
}

function tooLarge(): AwsError {
  return invalidParameter(`Unzipped size must be smaller than ${UNZIPPED_BYTES_MAX} bytes`);
}

/** A full disk or a permission is this machine's fault, and must not be told to the caller as theirs. */
function isMachineFault(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "EMFILE", "ENFILE", "EIO"].includes(code);
}
