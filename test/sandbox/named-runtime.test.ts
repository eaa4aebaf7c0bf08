/** OCI runtimes that are asked for by name: they run, or the server does not start. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
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
