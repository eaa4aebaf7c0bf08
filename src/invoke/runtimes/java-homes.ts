/** The Java installations of the host, and copies of them that hold all they need. */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import {
  access,
  chmod,
  copyFile,
  link,
  mkdir,
  readFile,
  readdir,
  realpath,
  stat,
  utimes,
} from "node:fs/promises";
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { exists, installOnce } from "./install.ts";

const run = promisify(execFile);
const probeMs = 10_000;

/** A Java of the host. */
export interface JavaHome {
  /** Of the language: 8, 11, 17. */
  readonly major: number;
  /** `17.0.15`, `1.8.0_402`. */
  readonly version: string;
  /** Real path. */
  readonly home: string;
  /** Its `java` program. */
  readonly executable: string;
  /** Whether it can compile. */
  readonly hasCompiler: boolean;
}

/** Folders that hold installations: those of packages, and of version managers. */
const PARENTS = ["/usr/lib/jvm", "/usr/java", "/opt/java", "/Library/Java/JavaVirtualMachines"] as const;
const PARENTS_OF_USER = [
  ".sdkman/candidates/java",
  ".asdf/installs/java",
  ".local/share/mise/installs/java",
  ".jdks",
] as const;

/** What functions do not need: sources, headers, manuals, modules to link other images from. */
const LEFT_OUT = new Set(["jmods", "src.zip", "ct.sym", "man", "docs", "demo", "sample", "include", "legal"]);

/** One for each version of the language: the one on the path, else the newest. */
export async function findJavas(): Promise<ReadonlyMap<number, JavaHome>> {
  const found = new Map<number, JavaHome>();
  const parents = [...PARENTS, ...PARENTS_OF_USER.map((folder) => join(homedir(), folder))];
  const others = (await Promise.all(parents.map(homesIn))).flat();
  const read = await Promise.all(others.map(readHome));
  const newest = read
    .filter((java) => java !== undefined)
    .sort((a, b) => b.version.localeCompare(a.version, "en", { numeric: true }));
  const first = await homeOnPath();
  const onPath = first === undefined ? undefined : await readHome(first);
  for (const java of onPath ? [onPath, ...newest] : newest)
    if (!found.has(java.major)) found.set(java.major, java);
  return found;
}

/**
 * The folder of a Java as sandboxes see it. Distributions lay links from an installation to /etc, which sandboxes do not have, so it is
 * a copy: of hard links where that is possible.
 */
export function copiedHome(cacheDir: string, java: JavaHome): Promise<string> {
  const key = createHash("sha256").update(`${java.home} ${java.version}`).digest("hex").slice(0, 16);
  return installOnce(cacheDir, `java-${java.version}-${key}`, (folder) => copyTree(java.home, folder));
}

async function copyTree(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (LEFT_OUT.has(name)) continue;
    const source = await realpath(join(from, name)).catch(() => undefined);
    // A link to what an optional package would bring.
    if (source === undefined) continue;
    const info = await stat(source);
    const target = join(to, name);
    if (info.isDirectory()) {
      await mkdir(target);
      await chmod(target, 0o755);
      await copyTree(source, target);
    } else if (info.isFile() && !(await linked(source, target))) {
      await copyFile(source, target, constants.COPYFILE_FICLONE);
      await chmod(target, info.mode | 0o444);
      // The JVM's archive of its own classes knows the time of the file that they come from.
      await utimes(target, info.atime, info.mtime);
    }
  }
}

async function linked(source: string, target: string): Promise<boolean> {
  return link(source, target).then(
    () => true,
    () => false,
  );
}

async function homesIn(parent: string): Promise<string[]> {
  const names = await readdir(parent).catch((): string[] => []);
  return names.flatMap((name) => [join(parent, name), join(parent, name, "Contents/Home")]);
}

async function homeOnPath(): Promise<string | undefined> {
  return (await property("java", "java.home"))?.replace(/\/jre$/, "");
}

/** A property of a JVM as it tells it itself. */
async function property(executable: string, name: string): Promise<string | undefined> {
  const words = ["-XshowSettings:properties", "-version"];
  const { stderr } = await run(executable, words, { timeout: probeMs }).catch(() => ({ stderr: "" }));
  const line = stderr.split("\n").find((one) => one.trimStart().startsWith(`${name} = `));
  return line?.slice(line.indexOf("=") + 1).trim();
}

/** Where an installation is whose `java` may be a link into another folder. */
async function homeOf(folder: string, executable: string): Promise<string> {
  const isWhole = (await exists(join(folder, "release"))) || (await exists(join(folder, "jre/lib")));
  return isWhole ? realpath(folder) : dirname(dirname(executable));
}

/** What an installation says of itself; undefined for what is none. */
async function readHome(folder: string): Promise<JavaHome | undefined> {
  try {
    const executable = await realpath(join(folder, "bin/java"));
    await access(executable, constants.X_OK);
    const home = await homeOf(folder, executable);
    const release = await readFile(join(home, "release"), "utf8").catch(() => "");
    // Debian's Java 8 has no such file.
    const version =
      /^JAVA_VERSION="(.+)"$/m.exec(release)?.[1] ?? (await property(executable, "java.version")) ?? "";
    const major = Number(/^(?:1\.)?(\d+)/.exec(version)?.[1] ?? Number.NaN);
    if (Number.isNaN(major)) return undefined;
    return { major, version, home, executable, hasCompiler: await exists(join(home, "bin/javac")) };
  } catch {
    return undefined;
  }
}
