/** Code of functions in Java, compiled here, and libraries of Maven Central for it. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { loadConfig } from "../../src/config/index.ts";
import { installOnce } from "../../src/invoke/runtimes/install.ts";
import { mavenFile } from "../../src/invoke/runtimes/maven.ts";
import { runtimes } from "./harness.ts";

const run = promisify(execFile);
/** For tools that run for a second: the second compiler and more collectors only cost. */
const BRIEF = ["-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"];

/** The runtimes of Java that this machine has; why others are not tested is printed. */
export const javasHere: string[] = [];
for (const identifier of ["java25", "java21", "java17", "java11", "java8.al2"]) {
  const found = await runtimes.find(identifier);
  if (found.status === "ready") javasHere.push(identifier);
  else console.log(`# SKIPPED ${identifier}: ${found.status === "refused" ? found.reason : found.status}`);
}

/** File name → bytes, of what sources come to. @param sources File name → text. */
export async function compiled(
  sources: Readonly<Record<string, string>>,
  libraries: readonly string[] = [],
): Promise<Record<string, Buffer>> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-javac-"));
  try {
    const files = Object.entries(sources).map(([name, text]) => ({ file: join(folder, "src", name), text }));
    for (const { file, text } of files) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    const classes = join(folder, "classes");
    // prettier-ignore
    const options = ["--release", "8", "-nowarn", "-Xlint:-options", "-encoding", "UTF-8", "-proc:none"];
    const path = libraries.length > 0 ? ["-cp", libraries.join(":")] : [];
    await run("javac", [...BRIEF, ...options, ...path, "-d", classes, ...files.map(({ file }) => file)]);
    const names = await readdir(classes, { recursive: true, withFileTypes: true });
    const outputs = names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    return Object.fromEntries(
      await Promise.all(
        outputs.map(async (file) => [relative(classes, file), await readFile(file)] as const),
      ),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A jar of class files, as bytes. */
export async function jarOf(files: Readonly<Record<string, Buffer | string>>): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-jar-"));
  try {
    for (const [name, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(folder, "in", name)), { recursive: true });
      await writeFile(join(folder, "in", name), bytes);
    }
    await run("jar", [
      ...BRIEF,
      "--create",
      "--file",
      join(folder, "out.jar"),
      "-C",
      join(folder, "in"),
      ".",
    ]);
    return await readFile(join(folder, "out.jar"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const LIBRARIES: Readonly<Record<string, string>> = {
  "io/github/crac/org-crac/0.1.3": "d77a0c628d1399ee682738851dca13d060fef51601aedad6d1efcd3185f9af09",
  "com/amazonaws/aws-lambda-java-core/1.4.0":
    "575c24393cc1ad645e83e618956eabd89ffe8cc09efae2cb62bc6589154d68ed",
  "com/amazonaws/aws-lambda-java-events/3.16.1":
    "e090b3832e8b4decbde272b8b0e6dd248115fe20d05f17e00f32a00805892f05",
  "com/amazonaws/aws-lambda-java-log4j2/1.6.4":
    "1f108316024f3f7b31de2b03cc892459f2ef64515e5144df1e2123e9f0047a22",
  "org/apache/logging/log4j/log4j-api/2.25.3":
    "e886682920fa0fb9d6eb6395dcb4de088443f8646c89c5e5846e168e327f406f",
  "org/apache/logging/log4j/log4j-core/2.25.3":
    "362b7fcb65b73aa46cc4bc53abf4eb216f444a83b5d1a037cb6fdfff0ae9f0f9",
  "joda-time/joda-time/2.15.1": "035f145e2f7a47e6eee02e4ff488c1a9a28c0d61dadd69861662039b9e88ca2a",
};

/** Libraries of Maven Central by their names, kept in the cache: paths of jars. */
export async function libraries(...names: readonly string[]): Promise<string[]> {
  const wanted = Object.keys(LIBRARIES).filter((path) => names.includes(basename(dirname(path))));
  return Promise.all(wanted.map(library));
}

async function library(path: string): Promise<string> {
  const file = `${basename(dirname(path))}-${basename(path)}.jar`;
  const sha256 = LIBRARIES[path] ?? "";
  const folder = await installOnce(loadConfig().runtimesDir, `test-library-${sha256}`, async (half) => {
    await writeFile(join(half, file), await mavenFile(`${path}/${file}`, sha256));
  });
  return join(folder, file);
}
