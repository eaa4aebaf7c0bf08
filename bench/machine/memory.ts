/** Memory that is a process's alone, and what the kernel keeps for a cgroup. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const VERSION_ONE = "/sys/fs/cgroup/memory";
const VERSION_TWO = "/sys/fs/cgroup";

/** Bytes of pages that no other process shares, of all these processes; those that have ended count nothing. */
export function privateBytes(pids: readonly number[]): number {
  let kib = 0;
  for (const pid of pids)
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      for (const match of rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)) kib += Number(match[1]);
    } catch (error) {
      if (!["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  return kib * 1_024;
}

/** Bytes of kernel memory (stacks, page tables, sockets, dentries) charged to a group and those in it; 0 where there is none. */
export function kernelBytes(group: string): number {
  const folder = [VERSION_ONE, VERSION_TWO].map((root) => join(root, group)).find((each) => existsSync(each));
  return folder === undefined ? 0 : kernelBytesOf(folder);
}

function kernelBytesOf(folder: string): number {
  // Of version 1 the counter is hierarchical, as all of version 2 are.
  const versionOne = join(folder, "memory.kmem.usage_in_bytes");
  if (existsSync(versionOne)) {
    const own = Number(readFileSync(versionOne, "utf8"));
    const nested = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return own > 0 ? own : nested.reduce((sum, entry) => sum + kernelBytesOf(join(folder, entry.name)), 0);
  }
  const stat = readFileSync(join(folder, "memory.stat"), "utf8");
  return Number(/^kernel (\d+)$/m.exec(stat)?.[1] ?? Number.NaN);
}
