/** Memory that is a process's alone, and what the kernel keeps for a cgroup. */
import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
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
  const folder = memoryFolder(group);
  if (folder === undefined) return 0;
  // Both counters are hierarchical.
  const versionOne = join(folder, "memory.kmem.usage_in_bytes");
  if (existsSync(versionOne)) return Number(readFileSync(versionOne, "utf8"));
  const stat = readFileSync(join(folder, "memory.stat"), "utf8");
  return Number(/^kernel (\d+)$/m.exec(stat)?.[1] ?? Number.NaN);
}

export interface MemoryGroup extends Disposable {
  readonly name: string;
  /** A process that writes its id there is charged to the group from then on. */
  readonly processesFile: string;
}

/** Makes a group below the root of the hierarchy that counts memory; its processes must be gone when it is disposed of. */
export function makeMemoryGroup(name: string): MemoryGroup {
  const folder = join(existsSync(VERSION_ONE) ? VERSION_ONE : VERSION_TWO, name);
  mkdirSync(folder, { recursive: true });
  return {
    name,
    processesFile: join(folder, "cgroup.procs"),
    [Symbol.dispose]: () => rmdirSync(folder),
  };
}

function memoryFolder(group: string): string | undefined {
  return [VERSION_ONE, VERSION_TWO].map((root) => join(root, group)).find((each) => existsSync(each));
}
