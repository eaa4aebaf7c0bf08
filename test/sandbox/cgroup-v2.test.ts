/** Freezing, thawing and ending on a real version 2 hierarchy, which needs no controllers for it (a hybrid machine has one too). */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { missingControllers, readHierarchies } from "../../src/sandbox/cgroup/hierarchies.ts";
import { sandboxCgroup } from "../../src/sandbox/cgroup/sandbox-cgroup.ts";

const { v2 } = await readHierarchies();
const skip = v2 === undefined || process.getuid?.() !== 0 ? "needs root and a cgroup2 mount" : false;
if (skip) console.log(`# SKIPPED cgroup version 2: ${skip}`);

test("a version 2 cgroup freezes, thaws, counts and ends", { skip }, async () => {
  const mount = v2 ?? "";
  const path = `/lambent-test-${process.pid}`;
  const folder = join(mount, path);
  await mkdir(folder);
  const child = spawn("sleep", ["100"], { stdio: "ignore" });
  const gone = once(child, "exit");
  await writeFile(join(folder, "cgroup.procs"), String(child.pid));
  const cgroup = sandboxCgroup(
    { version: "v2", v1: new Map(), v2, mounts: [mount], swapAccounting: true },
    path,
  );
  assert.deepEqual(await cgroup.processes(), [child.pid]);
  await cgroup.freeze();
  assert.match(await readFile(join(folder, "cgroup.events"), "utf8"), /^frozen 1$/m);
  await cgroup.thaw();
  assert.match(await readFile(join(folder, "cgroup.events"), "utf8"), /^frozen 0$/m);
  assert.equal(await cgroup.oomKills(), 0);
  // A frozen one ends too.
  await cgroup.freeze();
  await cgroup.remove();
  assert.deepEqual(await gone, [null, "SIGKILL"]);
  assert.equal(existsSync(folder), false);
  await cgroup.remove();
});

test("the kind of hierarchy is read from the mounts", async (t) => {
  const file = join(tmpdir(), `lambent-mountinfo-${process.pid}`);
  t.after(() => rm(file, { force: true }));
  const unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
  const memory = "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
  const cpu = "32 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
  const read = async (text: string) => {
    await writeFile(file, text);
    return readHierarchies(file);
  };
  assert.equal((await read(unified)).version, "v2");
  assert.equal((await read(unified)).v2, "/sys/fs/cgroup");
  const hybrid = await read(unified + memory + cpu);
  assert.equal(hybrid.version, "hybrid");
  assert.equal(hybrid.v1.get("cpu"), "/sys/fs/cgroup/cpu,cpuacct");
  assert.deepEqual(await missingControllers(hybrid), ["pids"]);
  assert.equal((await read(memory)).version, "v1");
  assert.equal((await read("")).version, "none");
});
