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

/**
 * The folder, named by its content, so that an update is a new one.
 * @param libraries Folder with AWS's libraries in `lib`.
 * @param release The oldest version of Java that it has to run on.
 */
export async function javaBootstrap(
  cacheDir: string,
  libraries: string,
  compiler: JavaHome,
  release: number,
): Promise<string> {
  const names = (await readdir(SOURCES)).filter((name) => name.endsWith(".java")).sort();
  const sources = names.map((name) => join(SOURCES, name));
  const hash = createHash("sha256").update(`${libraries} ${release}`);
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
    const jar = ["--create", "--file", join(lib, "lambent.jar"), "-C", classes, "."];
    await run(join(compiler.home, "bin/jar"), jar, { timeout: compileMs });
    await rm(classes, { recursive: true });
    await chmod(lib, 0o755);
    for (const file of await readdir(lib)) await chmod(join(lib, file), 0o644);
  });
}
