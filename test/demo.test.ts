/** The show-piece, as a user runs it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

test("lambent demo --check: a photograph in, a thumbnail and a row out, error rows for what is no picture", () => {
  const done = spawnSync(process.execPath, [MAIN, "demo", "--check"], { encoding: "utf8", timeout: 240_000 });
  assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
  assert.match(done.stdout, /Checked: a 320x180 thumbnail of 6028x3391, its row, its log\./);
  assert.match(done.stdout, /notes\.txt: .*unsupported image format/);
});
