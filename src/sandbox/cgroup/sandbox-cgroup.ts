/** The cgroup of one sandbox: freezing, limits that change later, what the kernel counted, and its end. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { CPU_PERIOD_US } from "../limits.ts";
import { SandboxError } from "../sandbox.ts";
import type { Hierarchies } from "./hierarchies.ts";
import { MemoryUsed } from "./memory-used.ts";

/** How long the kernel may take to stop every task, in milliseconds. */
const FREEZE_MS_MAX = 5_000;
/** How long killed processes may take to go, in milliseconds: one in an uninterruptible wait cannot be killed. */
const KILL_MS_MAX = 10_000;

export interface SandboxCgroup {
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** CPU time in each period, in microseconds. */
  setCpuQuota(quotaUs: number): Promise<void>;
  /** Whether it has only the CPU that the other cgroups of this server leave. */
  setIdle(isIdle: boolean): Promise<void>;
  /** Memory, and memory with swap where that is counted, in bytes. */
  setMemory(bytes: number): Promise<void>;
  /** Forgets the peak so far, where the kernel can. */
  resetPeak(): Promise<void>;
  /** What its processes have used at most since `resetPeak`, page cache not counted. */
  peakBytes(): Promise<number>;
  /** Processes that the kernel killed in it for memory. */
  oomKills(): Promise<number>;
  processes(): Promise<number[]>;
  /** Kills everything in it and removes it. A cgroup that is gone already is no error. */
  remove(): Promise<void>;
}

/**
 * What a cold start or a thaw waits for is done on the calling thread: such a write takes the kernel some 50 µs, a hop to another thread
 * and back several times as long.
 * @param path The OCI `cgroupsPath`, absolute within each hierarchy.
 */
export function sandboxCgroup(hierarchies: Hierarchies, path: string): SandboxCgroup {
  const parts =
    hierarchies.version === "v2"
      ? versionTwo(join(hierarchies.v2 ?? "", path))
      : versionOne(hierarchies, path);
  const folders = hierarchies.mounts.map((mount) => join(mount, path));
  return {
    ...parts,
    async remove() {
      await killAll(parts);
      for (const folder of folders) await removeFolder(folder);
    },
  };
}

type Parts = Omit<SandboxCgroup, "remove">;

function versionOne(hierarchies: Hierarchies, path: string): Parts {
  const file = (controller: string, name: string) => join(hierarchies.v1.get(controller) ?? "", path, name);
  const state = file("freezer", "freezer.state");
  const kernelPeak = file("memory", "memory.max_usage_in_bytes");
  const used = new MemoryUsed({
    peak: [kernelPeak],
    stat: file("memory", "memory.stat"),
    kills: file("memory", "memory.oom_control"),
    processes: file("memory", "cgroup.procs"),
    names: { anonymous: "rss ", cache: "cache " },
  });
  return {
    async freeze() {
      // A task that forks while it is frozen leaves the group in FREEZING; asking again picks it up.
      await until(FREEZE_MS_MAX, "freeze", async () => {
        await writeFile(state, "FROZEN");
        return (await readFile(state, "utf8")).trim() === "FROZEN";
      });
    },
    thaw: async () => writeFileSync(state, "THAWED"),
    setCpuQuota: async (quotaUs) => writeFileSync(file("cpu", "cpu.cfs_quota_us"), String(quotaUs)),
    setIdle: async (isIdle) =>
      writeIdle(file("cpu", "cpu.idle"), isIdle, { file: file("cpu", "cpu.shares"), least: 2, usual: 1_024 }),
    async setMemory(bytes) {
      const memory = file("memory", "memory.limit_in_bytes");
      const withSwap = file("memory", "memory.memsw.limit_in_bytes");
      const files = hierarchies.swapAccounting ? [memory, withSwap] : [memory];
      // At no moment may the limit of memory be above the one with swap.
      if (bytes > Number(readFileSync(memory, "utf8"))) files.reverse();
      for (const each of files) writeFileSync(each, String(bytes));
    },
    async resetPeak() {
      writeFileSync(kernelPeak, "0");
      used.reset(true);
    },
    peakBytes: () => whenRested(used),
    oomKills: async () => counter(await read(file("memory", "memory.oom_control")), "oom_kill"),
    processes: () => processIds(file("pids", "cgroup.procs")),
  };
}

function versionTwo(folder: string): Parts {
  const file = (name: string) => join(folder, name);
  const used = new MemoryUsed({
    // memory.peak came with Linux 5.19; before it, what is used now tells too that something has changed.
    peak: [file("memory.peak"), file("memory.current")],
    stat: file("memory.stat"),
    kills: file("memory.events"),
    processes: file("cgroup.procs"),
    names: { anonymous: "anon ", cache: "file " },
  });
  const setFrozen = async (frozen: "0" | "1") => {
    await writeFile(file("cgroup.freeze"), frozen);
    await until(
      FREEZE_MS_MAX,
      frozen === "1" ? "freeze" : "thaw",
      async () => counter(await readFile(file("cgroup.events"), "utf8"), "frozen") === Number(frozen),
    );
  };
  return {
    freeze: () => setFrozen("1"),
    thaw: () => setFrozen("0"),
    setCpuQuota: async (quotaUs) => writeFileSync(file("cpu.max"), `${quotaUs} ${CPU_PERIOD_US}`),
    setIdle: async (isIdle) =>
      writeIdle(file("cpu.idle"), isIdle, { file: file("cpu.weight"), least: 1, usual: 100 }),
    // Swap is not allowed at all, whatever the memory: runc wrote so.
    setMemory: async (bytes) => writeFileSync(file("memory.max"), String(bytes)),
    // The kernel's own peak only tells that there is something new to see.
    resetPeak: async () => used.reset(false),
    peakBytes: () => whenRested(used),
    oomKills: async () => counter(await read(file("memory.events")), "oom_kill"),
    processes: () => processIds(file("cgroup.procs")),
  };
}

/** Linux before 5.15 has no cpu.idle: the least weight that it knows comes near. */
function writeIdle(
  path: string,
  isIdle: boolean,
  weight: { readonly file: string; readonly least: number; readonly usual: number },
): void {
  if (existsSync(path)) writeFileSync(path, isIdle ? "1" : "0");
  else writeFileSync(weight.file, String(isIdle ? weight.least : weight.usual));
}

/** A look takes longer than an invocation may: whatever goes out in this turn of the event loop goes first. */
async function whenRested(used: MemoryUsed): Promise<number> {
  await turn();
  return used.look();
}

/** SIGKILL to every process until none is left. A frozen group is thawed, since version 1 delivers the signal only then. */
async function killAll(parts: Parts): Promise<void> {
  await until(KILL_MS_MAX, "end", async () => {
    const ids = await parts.processes();
    if (ids.length === 0) return true;
    for (const id of ids) killOne(id);
    await parts.thaw().catch(() => {});
    return false;
  });
}

function killOne(id: number): void {
  try {
    process.kill(id, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function removeFolder(folder: string): Promise<void> {
  await until(KILL_MS_MAX, "remove", async () => {
    try {
      await rmdir(folder);
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return true;
      // The last task is dead but not yet out of the group.
      if (code === "EBUSY") return false;
      throw error;
    }
  });
}

async function until(msMax: number, verb: string, done: () => Promise<boolean>): Promise<void> {
  let waited = 0;
  for (let pause = 1; !(await done()); pause = Math.min(pause * 2, 50)) {
    if (waited > msMax) throw new SandboxError(`the cgroup of a sandbox did not ${verb} within ${msMax} ms`);
    await sleep(pause);
    waited += pause;
  }
}

function counter(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

async function processIds(path: string): Promise<number[]> {
  return (await read(path)).split("\n").filter(Boolean).map(Number);
}

/** The text of a file; empty when it is gone. */
function read(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
