/** Our bootstraps as they are mounted at /var/runtime: copied into the cache, so that a sandbox sees them and nothing beside them. */
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOnce } from "./install.ts";

const SOURCES = fileURLToPath(new URL("../../../runtimes/", import.meta.url));

/** The folder of a language's bootstrap, with empty folders to mount more into. Named by its content, so an update is a new folder. */
export async function bootstrapFolder(
  cacheDir: string,
  language: "nodejs" | "python",
  mountPoints: readonly string[],
): Promise<string> {
  const source = join(SOURCES, language);
  const files = (await readdir(source)).filter((name) => /^[a-z][a-z_-]*\.(mjs|cjs|py)$/.test(name)).sort();
  const hash = createHash("sha256").update(mountPoints.join("\n"));
  for (const file of files) hash.update(`\0${file}\0`).update(await readFile(join(source, file)));
  const name = `bootstrap-${language}-${hash.digest("hex").slice(0, 16)}`;
  return installOnce(cacheDir, name, async (folder) => {
    for (const file of files) {
      await copyFile(join(source, file), join(folder, file));
      await chmod(join(folder, file), 0o644);
    }
    for (const point of mountPoints) {
      await mkdir(join(folder, point));
      await chmod(join(folder, point), 0o755);
    }
  });
}
