/** The package as its user gets it: packed, installed in an empty folder, imported, started. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = `import { start } from "lambent";
const server = await start();
const ready = await fetch(server.endpoint + "/_lambent/ready");
const body = "Action=GetCallerIdentity&Version=2011-06-15";
const headers = { "content-type": "application/x-www-form-urlencoded" };
const identity = await fetch(server.endpoint, { method: "POST", headers, body });
console.log(ready.status, /<Arn>(.*)<.Arn>/.exec(await identity.text())?.[1]);
await server.stop();`;

test('import { start } from "lambent" works from the packed package, and so does its command', () => {
  const folder = mkdtempSync(join(tmpdir(), "lambent-package-"));
  try {
    execFileSync("npm", ["pack", "--pack-destination", folder], { cwd: ROOT, stdio: "pipe" });
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
    mkdirSync(join(folder, "app"));
    writeFileSync(join(folder, "app/package.json"), '{ "name": "app", "type": "module" }');
    writeFileSync(join(folder, "app/program.mjs"), PROGRAM);
    const install = [
      "install",
      `../${tarball}`,
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ];
    execFileSync("npm", install, { cwd: join(folder, "app"), stdio: "pipe" });
    const inApp = (args: string[]) =>
      spawnSync(process.execPath, args, { cwd: join(folder, "app"), encoding: "utf8", timeout: 60_000 });
    const program = inApp(["program.mjs"]);
    assert.equal(program.stdout, "200 arn:aws:iam::000000000000:root\n", program.stderr);
    const version = inApp(["node_modules/lambent/dist/main.js", "--version"]);
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/, version.stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
