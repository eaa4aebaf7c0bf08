import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram, runTool, tryProgram } from "./run-program.ts";

test("words, input and both outputs pass as they are", async () => {
  const words = ["it's", 'a "b" $c `d`', "e\nf", "", "\\"];
  assert.deepEqual(await tryProgram("printf", ["%s|", ...words]), {
    code: 0,
    stdout: words.map((word) => `${word}|`).join(""),
    stderr: "",
  });
  assert.equal(await runProgram("cat", [], "one $x\n'two'\n"), "one $x\n'two'\n\n");
  assert.deepEqual(await tryProgram("sh", ["-c", "cat; echo said >&2; exit 3"]), {
    code: 3,
    stdout: "",
    stderr: "said\n",
  });
  const { stdout } = await tryProgram("head", ["-c", "300000", "/dev/zero"]);
  assert.equal(stdout.length, 300_000);
});

test("a program that is not there, and one that fails, are told", async () => {
  assert.equal((await tryProgram("no-such-program", [])).code, 127);
  await assert.rejects(runProgram("sh", ["-c", "echo why >&2; exit 4"]), /failed \(4\): why/);
});

test("programs at the same time get their own outputs, and a shell that is killed is replaced", async () => {
  const many = Array.from({ length: 20 }, (_, at) => tryProgram("sh", ["-c", `echo ${at}`]));
  assert.deepEqual(
    (await Promise.all(many)).map(({ stdout }) => stdout),
    many.map((_, at) => `${at}\n`),
  );
  const killed = await Promise.all(
    Array.from({ length: 4 }, () => tryProgram("sh", ["-c", "kill -9 $PPID; sleep 1"])),
  );
  assert.ok(killed.every(({ code }) => code !== 0));
  assert.equal(await runProgram("echo", ["again"]), "again\n");
});

test("a program gets the server's open files under its own numbers", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lambent-tool-"));
  const fd = openSync(join(folder, "out"), "w");
  const descriptors = new Map([[3, { fd, mode: "write" as const }]]);
  await runTool({ program: "sh", args: ["-c", "echo three >&3"], input: "", descriptors });
  closeSync(fd);
  assert.equal(readFileSync(join(folder, "out"), "utf8"), "three\n");
  await rm(folder, { recursive: true });
});
