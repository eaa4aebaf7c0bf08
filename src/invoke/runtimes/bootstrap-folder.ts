/** Our bootstraps as they are mounted at /var/runtime: copied into the cache, so that a sandbox sees them and nothing beside them. */
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installOnce } from "./install.ts";
import { joinModules } from "./join-modules.ts";

const SOURCES = fileURLToPath(new URL("../../../runtimes/", import.meta.url));

/** Languages that have a folder in runtimes/. */
type BootstrapLanguage = "nodejs" | "python" | "ruby";

/** The folder of a language's bootstrap, with empty folders to mount more into. Named by its content, so an update is a new folder. */
export async function bootstrapFolder(
  cacheDir: string,
  language: BootstrapLanguage,
  mountPoints: readonly string[],
): Promise<string> {
  const files = await bootstrapFiles(join(SOURCES, language), language);
  const hash = createHash("sha256").update(mountPoints.join("\n"));
  for (const [file, text] of files) hash.update(`\0${file}\0`).update(text);
  const name = `bootstrap-${language}-${hash.digest("hex").slice(0, 16)}`;
  return installOnce(cacheDir, name, async (folder) => {
    for (const [file, text] of files) {
      await writeFile(join(folder, file), text);
      await chmod(join(folder, file), 0o644);
    }
    for (const point of mountPoints) {
      await mkdir(join(folder, point));
      await chmod(join(folder, point), 0o755);
    }
  });
}

/** What a function can see of its runtime is an ES module of this name, as on AWS; a wrapper script may start it too. */
const NODE_ENTRY = "index.mjs";
const NODE_PRELUDE = `process.mainModule = undefined;
delete require.cache[__filename];
process.argv[1] = __filename.replace(/[^/]*$/, "${NODE_ENTRY}");
`;

/** Modules that are files of their own: what stands for a function's while a process warms up, and what another thread loads. */
const STANDALONE = /^warm-up-|-hooks\.mjs$/;

/** File name → text. Of Node.js one module, and those that stand alone. */
async function bootstrapFiles(
  source: string,
  language: BootstrapLanguage,
): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(source))
    .filter((name) => /^[a-z][a-z_-]*\.(mjs|cjs|py|rb)$/.test(name))
    .sort();
  const files = new Map<string, string>();
  for (const name of names) files.set(name, await readFile(join(source, name), "utf8"));
  if (language !== "nodejs") return files;
  const others = [...files].filter(([name]) => STANDALONE.test(name));
  return new Map([
    ["index.cjs", joinModules(files, "index.mjs", NODE_PRELUDE)],
    [NODE_ENTRY, 'import "./index.cjs";\n'],
    ...others,
  ]);
}
