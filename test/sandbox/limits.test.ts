/** Memory, processes, files, /tmp and CPU: what happens at each limit. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuQuotaUs } from "../../src/sandbox/limits.ts";
import { quotaOf } from "../harness/cpu-group.ts";
import { bench, runcMissing } from "./harness.ts";
import type { Bench } from "./harness.ts";

const { provider } = runcMissing
  ? { provider: "process" }
  : { provider: process.getuid?.() === 0 ? "runc" : "rootless" };
const needsRoot: string | false =
  runcMissing ?? (provider === "runc" ? false : "limits of functions need root");
if (needsRoot && !runcMissing) console.log(`# SKIPPED limits: ${needsRoot}`);

describe("at its limit a sandbox", { skip: needsRoot }, () => {
  let here: Bench;
  before(async () => {
    here = await bench("runc");
  });
  after(() => here.close());
  const shell = (script: string, options = {}) =>
    here.node("", { command: ["/bin/sh", "-c", script], environment: { PATH: "/usr/bin:/bin" }, ...options });

  test("of memory is killed, and says so", async () => {
    const { exit, stdout } = await here.node(
      `const kept = []; console.log("begun"); for (;;) kept.push(Buffer.alloc(8 << 20, 1))`,
      { memoryMb: 128 },
    );
    assert.deepEqual(exit, { code: undefined, signal: "SIGKILL", outOfMemory: true });
    assert.equal(stdout, "begun\n");
  });

  test("of memory does not escape through /dev/shm", async () => {
    const { exit } = await here.node(
      `import { writeFileSync } from "node:fs";
       writeFileSync("/dev/shm/a", Buffer.alloc(60 << 20, 1)); globalThis.kept = Buffer.alloc(80 << 20, 1); console.log("survived")`,
      { memoryMb: 128 },
    );
    assert.equal(exit.outOfMemory, true);
  });

  test("of memory counts the file cache of /tmp without dying of it", async () => {
    const { exit, stdout } = await shell(`head -c 200000000 /dev/zero > /tmp/big && wc -c < /tmp/big`, {
      memoryMb: 128,
    });
    assert.equal(stdout, "200000000\n");
    assert.deepEqual(exit, { code: 0, signal: undefined, outOfMemory: false });
  });

  test("of 1,024 processes forks no more", async () => {
    const { stdout } = await here.node(
      `import { spawn } from "node:child_process";
       const children = []; let failed = 0;
       // A child that nobody waits for still counts.
       const script = 'i=0; while [ $i -lt 1100 ]; do sleep 100 & i=$((i+1)); done; echo all';
       const shell = spawn("/bin/sh", ["-c", script], { stdio: ["ignore", "pipe", "pipe"] });
       let text = "";
       shell.stdout.on("data", (data) => (text += data)); shell.stderr.on("data", (data) => (text += data));
       shell.on("exit", (code) => {
         import("node:fs").then(({ readdirSync }) => {
           const count = readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).length;
           console.log(JSON.stringify({ code, text: text.slice(0, 200), count }));
           process.exit(0);
         });
       });`,
      { memoryMb: 1769 },
    );
    const result = JSON.parse(stdout) as { code: number; text: string; count: number };
    assert.notEqual(result.code, 0);
    assert.match(result.text, /Cannot fork|fork: (retry|Resource)/);
    assert.ok(result.count > 950 && result.count <= 1027, `${result.count} processes`);
  });

  test("of 1,024 descriptors opens no more, and cannot raise it", async () => {
    const { stdout } = await here.node(`import { openSync } from "node:fs"; let n = 0;
      try { for (;;) { openSync("/dev/null"); n++; } } catch (error) { console.log(error.code, n > 950 && n < 1024); }`);
    assert.equal(stdout, "EMFILE true\n");
    assert.match((await shell(`ulimit -n 2048 2>&1 || true; ulimit -n`)).stdout, /\n?1024\n$/);
  });

  test("of /tmp gets ENOSPC at the size asked for, without nosuid or nodev being lost", async () => {
    const { stdout } = await here.node(
      `import { openSync, writeSync, readFileSync, statfsSync } from "node:fs";
       const chunk = Buffer.alloc(1 << 20, 7), file = openSync("/tmp/fill", "w"); let bytes = 0;
       try { for (;;) bytes += writeSync(file, chunk); } catch (error) { console.log(error.code); }
       console.log(Math.floor(bytes / (1 << 20)));
       console.log(readFileSync("/proc/mounts", "utf8").split("\\n").find((line) => line.split(" ")[1] === "/tmp"));`,
      { ephemeralStorageMb: 600 },
    );
    const [code, megabytes, mount] = stdout.split("\n");
    assert.equal(code, "ENOSPC");
    assert.ok(Number(megabytes) >= 600 && Number(megabytes) <= 640, `${megabytes} MB`);
    assert.match(mount ?? "", /^\/dev\/loop\d+ \/tmp ext4 rw,nosuid,nodev/);
  });

  test("of CPU has the share that its memory buys once Init is over", async () => {
    assert.equal(cpuQuotaUs(1_769), 20_000);
    assert.equal(cpuQuotaUs(128), 1_447);
    assert.equal(cpuQuotaUs(10_240), 115_772);
    const marker = `quota-of-${process.pid}`;
    const { sandbox, says } = await here.start({
      files: { "main.mjs": `console.log("ready"); setInterval(() => {}, 1000)` },
      command: ["/var/lang/bin/node", "/var/task/main.mjs", marker],
      memoryMb: 128,
    });
    await says("ready");
    const pid = await processOf(marker);
    assert.equal(quotaOf(pid), 40_000);
    await sandbox.limitCpu();
    assert.equal(quotaOf(pid), 1_447);
    await sandbox.stop(0);
  });
});

test("at idle priority a sandbox leaves the CPU to the others, and has its share again afterwards", async (t) => {
  if (needsRoot) return t.skip(needsRoot);
  const here = await bench("runc");
  t.after(() => here.close());
  const cpu = /^Cpus_allowed_list:\s*(\d+)/m.exec(await readFile("/proc/self/status", "utf8"))?.[1] ?? "0";
  const spin = async (marker: string) => {
    const { sandbox, says } = await here.start({
      files: { "main.mjs": `console.log("ready"); for (;;);` },
      command: ["/var/lang/bin/node", "/var/task/main.mjs", marker],
      memoryMb: 1_769,
    });
    await says("ready");
    const pid = await processOf(marker);
    execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", cpu, String(pid)]);
    return { sandbox, pid };
  };
  const [one, other] = [await spin(`one-of-${process.pid}`), await spin(`other-of-${process.pid}`)];
  /** Of what both have in a second, what the first has. */
  const share = async () => {
    const before = await Promise.all([ticksOf(one.pid), ticksOf(other.pid)]);
    await sleep(1_000);
    const after = await Promise.all([ticksOf(one.pid), ticksOf(other.pid)]);
    const [own, others] = [after[0] - before[0], after[1] - before[1]];
    return own / (own + others);
  };
  const shares = [];
  for (const priority of ["idle", "normal"] as const) {
    await one.sandbox.setPriority(priority);
    shares.push(await share());
  }
  const [idle = 1, normal = 0] = shares;
  assert.ok(idle < 0.05 && normal > 0.3, `${idle} at idle priority, ${normal} at normal`);
});

/** The process with this word on its command line. */
async function processOf(marker: string): Promise<number> {
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const text = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (text.startsWith("/var/lang/") && text.includes(marker)) return Number(name);
  }
  throw new Error(`no process is called with ${marker}`);
}

/** CPU time that a process has had, in the kernel's ticks (proc(5): utime and stime). */
async function ticksOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
