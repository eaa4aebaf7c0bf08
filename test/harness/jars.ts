/** Java libraries for tests, from Maven Central, kept below node_modules. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mavenFile } from "../../src/invoke/runtimes/maven.ts";

export type Jars = readonly (readonly [path: string, sha256: string])[];

const FOLDER = fileURLToPath(new URL("../../node_modules/.cache/lambent-test-jars", import.meta.url));

/** Why Java of this version does not run here. */
export function javaMissing(version: number): string | undefined {
  const { stderr, status } = spawnSync("java", ["-version"], { encoding: "utf8" });
  const found = Number(/version "(\d+)/.exec(stderr ?? "")?.[1] ?? 0);
  if (status === 0 && found >= version) return undefined;
  return `there is no Java ${version} or later on this machine; install Debian's default-jre-headless`;
}

/** A class path of all of them; fetched once. @throws when Maven Central cannot be reached. */
export async function classPath(jars: Jars): Promise<string> {
  await mkdir(FOLDER, { recursive: true });
  const files = await Promise.all(
    jars.map(async ([path, sha256]) => {
      const file = join(FOLDER, basename(path));
      if (existsSync(file)) return file;
      const half = `${file}.${process.pid}`;
      await writeFile(half, await mavenFile(path, sha256));
      await rename(half, file);
      return file;
    }),
  );
  return files.join(":");
}
