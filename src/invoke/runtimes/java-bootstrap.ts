/** Our bootstrap of Java as it is mounted at /var/runtime: compiled on this machine, beside AWS's libraries. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { installOnce } from "./install.ts";
import type { JavaHome } from "./java-homes.ts";

const run = promisify(execFile);

const SOURCES = fileURLToPath(new URL("../../../runtimes/java/lambent/", import.meta.url));
const compileMs = 60_000;

/** From this version of Java on an archive of classes may be used where the class path begins otherwise than where it was made. */
const archiveMin = 19;
/** A class of AWS's client that calls its native library, which nothing else here needs. */
const REPLACED = "com/amazonaws/services/lambda/crac/DNSManager.class";
/** The archive's name in the folder; it is not there where none could be made. */
export const ARCHIVE = "lambent.jsa";

export interface BootstrapInput {
  readonly cacheDir: string;
  /** Folder with AWS's libraries in `lib`. */
  readonly libraries: string;
  /** What compiles it. */
  readonly compiler: JavaHome;
  /** The oldest version of Java that it has to run on. */
  readonly release: number;
  /** What it will run on: its own folder as functions have it, and its version. */
  readonly home: string;
  readonly major: number;
}

/** The folder, named by its content, so that an update is a new one. */
export async function javaBootstrap(input: BootstrapInput): Promise<string> {
  const { cacheDir, libraries, compiler, release, home } = input;
  const names = (await readdir(SOURCES)).filter((name) => name.endsWith(".java")).sort();
  const sources = names.map((name) => join(SOURCES, name));
  const hash = createHash("sha256").update(`${libraries} ${release} ${home}`);
  for (const source of sources) hash.update(await readFile(source));
  const name = `bootstrap-java-${hash.digest("hex").slice(0, 16)}`;
  return installOnce(cacheDir, name, async (folder) => {
    const lib = join(folder, "lib");
    const jars = await readdir(join(libraries, "lib"));
    await mkdir(lib);
    for (const jar of jars) await copyFile(join(libraries, "lib", jar), join(lib, jar));
    const classes = join(folder, "classes");
    const classPath = jars.map((jar) => join(lib, jar)).join(":");
    const options = ["--release", String(release), "-encoding", "UTF-8", "-cp", classPath, "-d", classes];
    await run(join(compiler.home, "bin/javac"), [...options, ...sources], { timeout: compileMs });
    // Ours in the place of the client's own.
    const client = jars.find((name) => name.includes("runtime-interface-client")) ?? "";
    const replace = ["--update", "--file", join(lib, client), "-C", classes, REPLACED];
    await run(join(compiler.home, "bin/jar"), replace, { timeout: compileMs });
    await rm(join(classes, REPLACED));
    const jar = ["--create", "--file", join(lib, "lambent.jar"), "-C", classes, "."];
    await run(join(compiler.home, "bin/jar"), jar, { timeout: compileMs });
    await rm(classes, { recursive: true });
    await chmod(lib, 0o755);
    for (const file of await readdir(lib)) await chmod(join(lib, file), 0o644);
    if (input.major >= archiveMin) await makeArchive(home, folder);
  });
}

/** What the runtime loads for every function, as the JVM maps it: nearly half of a cold start. */
async function makeArchive(home: string, folder: string): Promise<void> {
  const words = [
    `-XX:ArchiveClassesAtExit=${join(folder, ARCHIVE)}`,
    "-XX:+UseSerialGC",
    "-Xlog:disable",
    // The launcher puts the folder's files in the same order when functions run.
    "-cp",
    join(folder, "lib/*"),
    "lambent.Rehearsal",
  ];
  // A JVM that was made without an archive of its own classes makes none of others.
  await run(join(home, "bin/java"), words, { timeout: compileMs, env: REHEARSAL }).catch(() => {});
  await chmod(join(folder, ARCHIVE), 0o644).catch(() => {});
}

/** What AWS's client reads of a function's environment. */
const REHEARSAL = {
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
  AWS_LAMBDA_FUNCTION_NAME: "rehearsal",
  AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
  AWS_LAMBDA_LOG_GROUP_NAME: "rehearsal",
  AWS_LAMBDA_LOG_STREAM_NAME: "rehearsal",
};
