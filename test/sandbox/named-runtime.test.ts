/** OCI runtimes that are asked for by name: they run, or the server does not start. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { bench, runcMissing, whyMissing } from "./harness.ts";

const noCrun = await whyMissing("crun");

test("crun runs sandboxes as runc does", { skip: noCrun ?? false }, async (t) => {
  const here = await bench("crun");
  t.after(() => here.close());
  assert.equal(here.provider.isolation.provider, "crun");
  assert.deepEqual(here.provider.isolation.missing, []);
  const { stdout, exit } = await here.node(
    `import { readFileSync } from "node:fs"; console.log(process.getuid(), /CapEff:\\s*(\\S+)/.exec(readFileSync("/proc/self/status", "utf8"))[1], /Seccomp:\\s*(\\S+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]); process.exit(5)`,
  );
  assert.deepEqual([stdout, exit.code], ["993 0000000000000000 2\n", 5]);
  const hog = await here.node(`const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1));`, {
    memoryMb: 128,
  });
  assert.deepEqual(hog.exit, { code: undefined, signal: "SIGKILL", outOfMemory: true });
});

test("a runtime that is not there is refused, with what to install", { skip: runcMissing ?? false }, () => {
  // A server that sees everything but the two: found by their names on the path.
  const script = `import { bench } from ${JSON.stringify(new URL("harness.ts", import.meta.url).href)};
    for (const kind of ["runsc", "crun"]) await bench(kind).then(() => console.log("started"), (error) => console.log(error.message));`;
  const told = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    env: { ...process.env, PATH: "/usr/sbin:/sbin:/nonexistent" },
  });
  assert.match(told, /^runsc cannot run here\. .*gVisor: .*for --sandbox runsc install runsc/m);
  assert.match(told, /^crun cannot run here\. .*crun: .*for --sandbox crun install crun/m);
  assert.doesNotMatch(told, /started/);
});

test("a command tells so without a stack", { skip: runcMissing ?? false }, async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-named-"));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
  const { status, stderr } = spawnSync(
    process.execPath,
    [main, "start", "--sandbox", "runsc", "--port", "0", "--data-dir", dataDir],
    { encoding: "utf8", env: { ...process.env, PATH: "/usr/sbin:/sbin:/nonexistent" } },
  );
  assert.equal(status, 1);
  assert.match(stderr, /^lambent start: runsc cannot run here\. /m);
  assert.doesNotMatch(stderr, /\n {4}at /);
});
