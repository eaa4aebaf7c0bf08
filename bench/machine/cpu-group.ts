/** CPU time of whole process trees by cgroup, of version 1 (cpuacct) or 2: children and the dead are counted too. */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const VERSION_ONE = "/sys/fs/cgroup/cpuacct";
const VERSION_TWO = "/sys/fs/cgroup";
const REMOVE_MS_MAX = 5_000;

export interface CpuGroup {
  readonly name: string;
  /** Its file `cgroup.procs`: a process that writes its id there is counted from then on, with its children. */
  readonly processesFile: string;
  /** Microseconds of CPU used in it so far. */
  usedUs(): number;
  /** Removes it; its processes must be gone. */
  remove(): Promise<void>;
}

/** Why CPU time cannot be counted on this machine; undefined where it can. */
export function cpuGroupsMissing(): string | undefined {
  if (process.platform !== "linux") return "CPU time is counted by Linux's cgroups";
  try {
    accessSync(root(), constants.W_OK);
    return undefined;
  } catch {
    return `CPU time is counted by cgroups, and ${root()} is not writable for this user`;
  }
}

/** Makes a group below the root of the hierarchy that counts CPU time. */
export function makeCpuGroup(name: string): CpuGroup {
  const folder = join(root(), name);
  mkdirSync(folder, { recursive: true });
  return {
    name,
    processesFile: join(folder, "cgroup.procs"),
    usedUs: () => usedUs(folder),
    async remove() {
      for (let waited = 0; waited < REMOVE_MS_MAX; waited += 20) {
        try {
          return rmdirSync(folder);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EBUSY") return;
          await sleep(20);
        }
      }
    },
  };
}

/** Microseconds of CPU used in a group below the root and in all groups in it: the sandboxes of one server. 0 where there is none. */
export function usedUsBelow(name: string): number {
  const folder = join(root(), name);
  return existsSync(folder) ? usedUs(folder) : 0;
}

/** Ids of the processes in a group below the root and in all groups in it. */
export function processesBelow(name: string): number[] {
  const collect = (folder: string): number[] => [
    ...readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number),
    ...readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => collect(join(folder, entry.name))),
  ];
  const folder = join(root(), name);
  return existsSync(folder) ? collect(folder) : [];
}

/** Names of the groups in a group below the root, `group/name` each: the sandboxes of one server. */
export function groupsIn(name: string): string[] {
  const folder = join(root(), name);
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(name, entry.name));
}

function root(): string {
  return existsSync(join(VERSION_ONE, "cpuacct.usage")) ? VERSION_ONE : VERSION_TWO;
}

function usedUs(folder: string): number {
  if (folder.startsWith(VERSION_ONE))
    return Number(readFileSync(join(folder, "cpuacct.usage"), "utf8")) / 1_000;
  const stat = readFileSync(join(folder, "cpu.stat"), "utf8");
  return Number(/^usage_usec (\d+)$/m.exec(stat)?.[1] ?? Number.NaN);
}
