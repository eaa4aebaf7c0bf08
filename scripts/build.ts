/** `npm run build`: the published form. Node refuses TypeScript below node_modules, so a package carries JavaScript. */
import { spawnSync } from "node:child_process";
import { cpSync, globSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

rmSync(`${ROOT}/dist`, { recursive: true, force: true });
const compiled = spawnSync("tsc", ["-p", "tsconfig.build.json"], { cwd: ROOT, stdio: "inherit" });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
for (const file of globSync("**/*.gen.json", { cwd: `${ROOT}/src` }))
  cpSync(`${ROOT}/src/${file}`, `${ROOT}/dist/${file}`);
