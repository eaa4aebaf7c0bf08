/** What a sandbox is said to have used of memory: what its processes held at most, and not what the kernel cached for them. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { MemoryUsed } from "../../src/sandbox/cgroup/memory-used.ts";
import { bench, runcMissing } from "./harness.ts";
import type { Bench } from "./harness.ts";

const skip = runcMissing ?? (process.getuid?.() === 0 ? false : "counting memory needs root");
if (skip && !runcMissing) console.log(`# SKIPPED memory used: ${skip}`);

const MEBIBYTE = 1_048_576;

describe("the memory that a sandbox has used", { skip }, () => {
  let here: Bench;
  before(async () => {
    here = await bench("runc");
  });
  after(() => here.close());

  /** Runs a script that says "done" and stays, and answers the peak in MB. */
  async function usedBy(script: string, memoryMb = 256): Promise<number> {
    const { sandbox, says } = await here.start({
      files: { "main.mjs": `${script}\nconsole.log("done"); setInterval(() => {}, 1_000);` },
      memoryMb,
    });
    await says("done");
    const bytes = await sandbox.peakMemoryBytes();
    await sandbox.stop(0);
    return bytes / MEBIBYTE;
  }

  test("has the resident memory of its process, and a peak that is over", async () => {
    const idle = await usedBy("");
    assert.ok(idle > 25 && idle < 110, `${idle} MB`);
    const peaked = await usedBy(`import { setFlagsFromString } from "node:v8";
      setFlagsFromString("--expose-gc"); let big = Buffer.alloc(100 << 20, 1); big = undefined;
      (await import("node:vm")).runInNewContext("gc")();`);
    assert.ok(peaked > idle + 90 && peaked < idle + 130, `${peaked} MB against ${idle}`);
  });

  test("has no page cache of /tmp in it, written or read", async () => {
    const idle = await usedBy("");
    const written = await usedBy(
      `import { execFileSync } from "node:child_process"; import { rmSync } from "node:fs";
       execFileSync("/bin/sh", ["-c", "head -c 300000000 /dev/zero > /tmp/big; cat /tmp/big > /dev/null"]);
       rmSync("/tmp/big");`,
      128,
    );
    assert.ok(written < idle + 30, `${written} MB against ${idle}`);
  });

  test("has what is written to /dev/shm in it, which no disk takes", async () => {
    const shared = await usedBy(
      `import { writeFileSync } from "node:fs"; for (let i = 0; i < 40; i++) writeFileSync("/dev/shm/a", Buffer.alloc(1 << 20, 1), { flag: "a" });`,
    );
    assert.ok(shared > 65, `${shared} MB`);
  });

  test("has that of children in it while they live", async () => {
    const idle = await usedBy("");
    const child = `const big = Buffer.alloc(60 << 20, 1); console.log("eaten"); setInterval(() => big.length, 1000);`;
    const both = await usedBy(
      `import { spawn } from "node:child_process"; import { once } from "node:events";
       const child = spawn(process.execPath, ["-e", ${JSON.stringify(child)}]);
       await once(child.stdout, "data");`,
    );
    assert.ok(both > idle + 60, `${both} MB against ${idle}`);
  });

  test("is told of a process that has ended too", async () => {
    const { sandbox, silent } = await here.start({
      files: { "main.mjs": `globalThis.big = Buffer.alloc(90 << 20, 1); process.exit(3);` },
      memoryMb: 256,
    });
    await silent;
    const used = (await sandbox.peakMemoryBytes()) / MEBIBYTE;
    await sandbox.stop(0);
    assert.ok(used > 90 && used < 190, `${used} MB`);
  });
});

test("version 2's files are read by their own names, and a kill for memory is the whole limit", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "lambent-memory-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = (name: string) => join(folder, name);
  const write = (name: string, text: string) => writeFile(file(name), text);
  await write("memory.current", `${50 * MEBIBYTE}\n`);
  await write(
    "memory.stat",
    `anon ${30 * MEBIBYTE}\nfile ${15 * MEBIBYTE}\nkernel 4096\nshmem ${5 * MEBIBYTE}\nanon_thp 7\n`,
  );
  await write("memory.events", "low 0\nhigh 0\nmax 3\noom 0\noom_kill 0\noom_group_kill 0\n");
  await write("cgroup.procs", "");
  const used = new MemoryUsed({
    peak: [file("memory.peak"), file("memory.current")],
    stat: file("memory.stat"),
    kills: file("memory.events"),
    processes: file("cgroup.procs"),
    names: { anonymous: "anon ", cache: "file " },
  });
  used.reset(false);
  assert.equal(used.look(), 35 * MEBIBYTE);
  await write("memory.current", `${60 * MEBIBYTE}\n`);
  await write("memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 0\n");
  assert.equal(used.look(), Number.POSITIVE_INFINITY);
});
