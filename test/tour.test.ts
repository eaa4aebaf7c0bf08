/** The README's tour, word for word, in a shell with nothing but the AWS CLI. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { spawnServer } from "./harness/process.ts";

const PORT = 4566;
const README = new URL("../README.md", import.meta.url);

/** The `sh` blocks of the tour, as one script that stops at the first command that fails. */
function tourScript(endpoint: string): string {
  const tour = /## A five-minute tour\n(.*?)\n## /s.exec(readFileSync(README, "utf8"))?.[1] ?? "";
  const blocks = [...tour.matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1]);
  assert.ok(blocks.length >= 5, "the README's tour has its blocks");
  const script = blocks.join("\n").replaceAll(`http://127.0.0.1:${PORT}`, endpoint);
  return `set -euo pipefail\n${script}`;
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

test("the README's tour works word for word", async (t) => {
  const aws = ["/usr/bin/aws", ...(process.env["PATH"] ?? "").split(":").map((dir) => join(dir, "aws"))];
  const found = aws.find((file) => existsSync(file));
  if (!found) return t.skip("no AWS CLI on this machine: apt-get install awscli");
  const free = await isFree(PORT);
  if (!free) t.diagnostic(`port ${PORT} is in use: the tour runs on another one`);
  const folder = mkdtempSync(join(tmpdir(), "lambent-tour-"));
  const server = await spawnServer(["--port", free ? String(PORT) : "0", "--data-dir", join(folder, "data")]);
  try {
    const PATH = `${join(found, "..")}:${process.env["PATH"] ?? ""}`;
    const done = spawnSync("bash", ["-c", tourScript(server.endpoint)], {
      cwd: folder,
      encoding: "utf8",
      timeout: 240_000,
      env: { PATH, HOME: folder },
    });
    const printed = `${done.stdout}\n${done.stderr}\n${server.output()}`;
    assert.equal(done.status, 0, printed);
    assert.match(done.stdout, /INFO\tcalled with \{ name: 'Ada' \}/, printed);
    assert.match(done.stdout, /\{"greeting":"Hello, Ada","by":"hello"\}/, printed);
    assert.match(done.stdout, /ObjectCreated:Put/, printed);
    assert.match(
      done.stdout,
      /"ExecutedVersion": "[12]"\s*\}\s*\{"greeting":"(Hello|Good morning), Ada"/,
      printed,
    );
    assert.match(done.stdout, /"readers": \{\s*"N": "1"/, printed);
  } finally {
    assert.equal(await server.terminate(), 0);
    rmSync(folder, { recursive: true, force: true });
  }
});
