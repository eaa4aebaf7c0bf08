/**
 * The read-only root of sandboxes: empty mount points, a few generated files of /etc, and copies of the small programs that AWS's
 * OS-only image has. One folder per set of mount points, built once, shared by every sandbox; nothing is copied per sandbox.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  access,
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import { systemLibraries } from "../system-libraries.ts";
import { etcFiles } from "./etc-files.ts";

/** What the root needs mount points for: path inside → whether it is a folder or a file. */
export type MountPoints = ReadonlyMap<string, "folder" | "file">;

/** The programs of AWS's OS-only base (AL2023): bash, coreutils, grep, sed, awk and curl; `bootstrap` is often a shell script. */
const PROGRAMS = (
  "sh bash env awk gawk mawk grep egrep fgrep sed curl xargs which " +
  "arch b2sum base32 base64 basename basenc cat chmod chown cksum comm cp csplit cut date dd df dirname du echo expand expr factor false " +
  "fmt fold groups head hostid hostname id install join link ln logname ls md5sum mkdir mkfifo mktemp mv nice nl nohup nproc numfmt od " +
  "paste pathchk pr printenv printf pwd readlink realpath rm rmdir seq sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf " +
  "sleep sort split stat stdbuf sum sync tac tail tee test timeout touch tr true truncate tsort tty uname unexpand uniq unlink " +
  "wc whoami yes"
).split(" ");

/** Where the shared libraries lie, by distribution; each that the host has is mounted at the same place. */
const LIBRARY_FOLDERS = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib64",
  "/lib/x86_64-linux-gnu",
  "/lib/aarch64-linux-gnu",
  "/lib64",
  "/usr/lib/locale",
  "/usr/share/locale",
  "/usr/share/zoneinfo",
] as const;

/** Host folders that every sandbox sees, read-only: the C library with its loader and neighbours, locales and time zones. */
export async function sharedFolders(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of LIBRARY_FOLDERS) {
    // On a merged /usr, /lib64 is a link, and the root has the same link.
    const parts = folder.split("/").slice(0, 2).join("/");
    const linked = await lstat(parts).then(
      (info) => info.isSymbolicLink(),
      () => true,
    );
    if (!linked && existsSync(folder)) found.push(folder);
  }
  // Without a folder for libraries alone (Alpine, Arch), all of /usr/lib has to be shown.
  if (!found.some((folder) => /lib64$|linux-gnu$/.test(folder))) found.push("/usr/lib", "/lib");
  return found.filter((folder) => existsSync(folder));
}

/** Builds roots below a folder and remembers them. */
export class RootSkeletons {
  readonly #folder: string;
  readonly #roots = new Map<string, Promise<string>>();
  #programs: Promise<string> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The root with these mount points. */
  get(points: MountPoints): Promise<string> {
    const key = createHash("sha256")
      .update(JSON.stringify([...points].sort(([a], [b]) => (a < b ? -1 : 1))))
      .digest("hex")
      .slice(0, 16);
    let root = this.#roots.get(key);
    if (root === undefined) {
      root = this.#build(join(this.#folder, key), points);
      this.#roots.set(key, root);
      // A failed attempt (a full disk) is tried again by the next sandbox.
      root.catch(() => this.#roots.delete(key));
    }
    return root;
  }

  async #build(root: string, points: MountPoints): Promise<string> {
    this.#programs ??= copyPrograms(join(this.#folder, "programs"));
    const programs = await this.#programs;
    const half = `${root}.half`;
    await rm(half, { recursive: true, force: true });
    await rm(root, { recursive: true, force: true });
    for (const folder of [
      "proc",
      "dev",
      "tmp",
      "etc",
      "var/task",
      "var/runtime",
      "var/lang",
      "opt",
      "run/lambent",
      "sys",
      "usr/bin",
      "usr/lib",
    ])
      await mkdir(join(half, folder), { recursive: true, mode: 0o755 });
    await linkMergedUsr(half);
    await linkRubyLibraries(half);
    for (const name of await readdir(programs)) await link(join(programs, name), join(half, "usr/bin", name));
    for (const [path, text] of Object.entries(await etcFiles())) await writeUnder(half, path, text);
    for (const [path, kind] of points) await mountPoint(join(half, path), kind);
    await rename(half, root);
    return root;
  }
}

/** /bin, /lib and the like are links into /usr wherever the host has them so; /lib64 leads to where the libraries are. */
async function linkMergedUsr(root: string): Promise<void> {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    const libraries = name === "lib64" && (await isMerged("lib")) ? systemLibraries() : undefined;
    if (libraries !== undefined) await symlink(libraries.slice(1), join(root, name));
    else if (await isMerged(name)) await symlink(`usr/${name === "sbin" ? "bin" : name}`, join(root, name));
    else await mkdir(join(root, name), { recursive: true });
  }
  await symlink("bin", join(root, "usr/sbin"));
  if (await isMerged("bin")) return;
  await rm(join(root, "bin"), { recursive: true, force: true });
  await symlink("usr/bin", join(root, "bin"));
}

/**
 * Ruby looks for its library where it was installed. Where that is with the system's, links lead to /var/lang, which can be mounted
 * into a sandbox that exists already.
 */
async function linkRubyLibraries(root: string): Promise<void> {
  await mkdir(join(root, "usr/local/lib"), { recursive: true, mode: 0o755 });
  for (const folder of ["usr/lib", "usr/local/lib"])
    await symlink("/var/lang/lib/ruby", join(root, folder, "ruby"));
}

async function isMerged(name: string): Promise<boolean> {
  return (await readlink(`/${name}`).catch(() => undefined)) !== undefined;
}

async function mountPoint(path: string, kind: "folder" | "file"): Promise<void> {
  if (existsSync(path)) return;
  await mkdir(kind === "folder" ? path : dirname(path), { recursive: true, mode: 0o755 });
  if (kind === "file") await writeFile(path, "");
}

async function writeUnder(root: string, path: string, text: string | Buffer): Promise<void> {
  const target = join(root, path);
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  await writeFile(target, text, { mode: 0o644 });
}

/** Copies, never links: a later `chown -R` of the data directory must not reach the host's own programs. */
async function copyPrograms(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all(
    PROGRAMS.map(async (name) => {
      const source = await findProgram(name);
      if (source === undefined) return;
      const target = join(folder, basename(name));
      await copyFile(source, target, constants.COPYFILE_FICLONE);
      await chmod(target, 0o755);
    }),
  );
  return folder;
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of ["/usr/bin", "/bin"]) {
    const path = join(folder, name);
    const usable = await access(path, constants.X_OK).then(
      () => stat(path),
      () => undefined,
    );
    if (usable?.isFile()) return path;
  }
  return undefined;
}
