/** Nothing stays behind: not after many sandboxes, and not after a server that was killed. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bench, runcMissing } from "./harness.ts";

const skip: string | false = runcMissing ?? false;

/** Everything of a server's on this machine, named by its instance and its folder. */
function remains(folder: string, instance: string): Record<string, string[]> {
  const lines = (text: string, pattern: string) => text.split("\n").filter((line) => line.includes(pattern));
  const run = (program: string, ...args: string[]) => {
    try {
      return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    } catch {
      return "";
    }
  };
  const list = (path: string) => (existsSync(path) ? readdirSync(path) : []);
  return {
    mounts: lines(readFileSync("/proc/self/mountinfo", "utf8"), folder),
    namespaces: list("/run/netns").filter((name) => name.includes(instance)),
    interfaces: list("/sys/class/net").filter((name) => name.includes(instance.slice(0, 7))),
    loops: lines(run("losetup", "-a"), folder),
    tables: lines(run("nft", "list", "tables"), instance),
    routes: lines(run("ip", "-4", "route", "show"), blockOf(instance)),
    cgroups: list("/sys/fs/cgroup").flatMap((name) =>
      list(join("/sys/fs/cgroup", name)).filter((one) => one.includes(instance)),
    ),
    processes: list("/proc").filter((name) => /^\d+$/.test(name) && belongs(name, instance)),
  };
}

/** The address block of each instance, from the time when its rules still stood. */
const blocks = new Map<string, string>();

/** The route of a server's addresses as `ip` prints it; text that no line holds when there never was one. */
function blockOf(instance: string): string {
  try {
    const table = execFileSync("nft", ["list", "table", "ip", `lambent-${instance}`], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const cidr = /ip saddr != (\S+)/.exec(table)?.[1];
    if (cidr) blocks.set(instance, `unreachable ${cidr}`);
  } catch {
    // The table is gone, which is what the test looks for.
  }
  return blocks.get(instance) ?? "no such route";
}

/** A zombie is the machine's init's to collect, and nothing of ours any more. */
function belongs(pid: string, instance: string): boolean {
  try {
    if (/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return false;
    return readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(`lambent-${instance}`);
  } catch {
    return false;
  }
}

const NOTHING = {
  mounts: [],
  namespaces: [],
  interfaces: [],
  loops: [],
  tables: [],
  routes: [],
  cgroups: [],
  processes: [],
};

/**
 * Waits for the kernel to let go of loop devices: a process that another server starts at this moment holds a copy of
 * all mounts until it has its own root.
 */
async function assertNothing(folder: string, instance: string): Promise<void> {
  for (let tries = 0; tries < 100 && remains(folder, instance)["loops"]?.length; tries++) await sleep(50);
  assert.deepEqual(remains(folder, instance), NOTHING);
}

const instanceOf = (folder: string) => readFileSync(join(folder, "state", "instance"), "utf8");

describe("what stays behind", { skip }, () => {
  test("is nothing, after twenty sandboxes and the end of the provider", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "lambent-remains-"));
    const here = await bench("runc", { folder });
    t.after(() => here.close());
    const instance = instanceOf(folder);
    for (let i = 0; i < 5; i++) {
      const four = await Promise.all(
        [0, 1, 2, 3].map(() =>
          here.start({ files: { "main.mjs": `console.log("up"); setInterval(() => {}, 1000)` } }),
        ),
      );
      await Promise.all(four.map((one) => one.says("up")));
      await Promise.all(four.map((one, n) => one.sandbox.stop(n % 2 ? 1_000 : 0)));
    }
    const between = remains(folder, instance);
    assert.deepEqual(between["processes"], []);
    assert.deepEqual(
      readdirSync(join(folder, "state", "runc")),
      [],
      "no container is left in runc's records",
    );
    // Two that still run when it closes.
    await here.start({ command: ["/bin/sh", "-c", "sleep 100"] });
    await here.start({ command: ["/bin/sh", "-c", "trap '' TERM; sleep 100"] });
    await here.provider.close();
    await assertNothing(folder, instance);
    assert.deepEqual(readdirSync(join(folder, "state")), ["instance"]);
    await assert.rejects(here.node(""), /provider is closed/);
  });

  test("is nothing, once a successor has started after kill -9", async (t) => {
    const folder = await killedServer();
    const instance = instanceOf(folder);
    const left = remains(folder, instance);
    // Otherwise this test would show nothing.
    assert.ok((left["processes"]?.length ?? 0) > 0, "the sandboxes of the killed server run on");
    assert.ok((left["routes"]?.length ?? 0) > 0, "its addresses are still taken");
    const successor = await bench("runc", { folder });
    t.after(() => successor.close());
    assert.equal(instanceOf(folder), instance);
    assert.deepEqual(remains(folder, instance)["processes"], []);
    assert.equal((await successor.node(`console.log("fine")`)).stdout, "fine\n");
    await successor.provider.close();
    await assertNothing(folder, instance);
  });

  test("is nothing, even when the killed server's data directory is gone and another server starts", async (t) => {
    const folder = await killedServer();
    t.after(() => rm(folder, { recursive: true, force: true }));
    const instance = instanceOf(folder);
    await rm(join(folder, "state", "instance"));
    const other = await bench("runc");
    t.after(() => other.close());
    await assertNothing(folder, instance);
  });
});

/** The folder of a server that ran three sandboxes, one of them frozen, and was killed. */
async function killedServer(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-remains-"));
  const victim = spawn(process.execPath, [fileURLToPath(new URL("victim.ts", import.meta.url)), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  victim.stdout.on("data", (data: Buffer) => (said += data.toString()));
  while (!said.includes("running")) await Promise.race([once(victim.stdout, "data"), once(victim, "exit")]);
  victim.kill("SIGKILL");
  await once(victim, "exit");
  return folder;
}
