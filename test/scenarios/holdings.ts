/** What a running server holds: memory, descriptors, kernel objects, files. What a scenario leaves behind grows one of these. */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { instanceOf, remains } from "../harness/remains.ts";
import type { Memory } from "./measured-server.ts";

/** Counts, by what is counted. */
export interface Holdings {
  readonly counts: Readonly<Record<string, number>>;
  /** What the descriptors are, for whoever reads a failure. */
  readonly descriptors: readonly string[];
  /** Bytes, after a garbage collection. */
  readonly memory: Memory;
  /** Bytes; the kernel's own figure, which depends on when memory is given back. */
  readonly resident: number;
}

export function holdings(pid: number, dataDir: string, memory: Memory): Holdings {
  const instance = instanceOf(join(dataDir, "sandboxes"));
  const { cgroups, ...others } = remains(dataDir, instance);
  const descriptors = descriptorsOf(pid);
  return {
    counts: {
      ...Object.fromEntries(Object.entries(others).map(([name, found]) => [name, found.length])),
      cgroups: new Set(cgroups.flatMap((path) => foldersIn(join("/sys/fs/cgroup", path)))).size,
      descriptors: descriptors.length,
      children: childrenOf(pid),
      files: filesBelow(join(dataDir, "sandboxes")) + readdirSync(join(dataDir, "code")).length,
    },
    descriptors,
    memory,
    resident: Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024,
  };
}

function descriptorsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return "closed meanwhile";
    }
  });
}

function foldersIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function childrenOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).length;
}

/**
 * Kept for as long as the server runs, one for each kind of sandbox; what a function wrote to its /tmp, which is one mount; and
 * what is mounted into sandboxes late, which is the runtimes' and the functions' own.
 */
const NOT_COUNTED = new Set(["roots", "tmp", "late", "stage"]);

/** Entries at any depth. */
function filesBelow(folder: string): number {
  let count = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    count += 1;
    if (entry.isDirectory() && !NOT_COUNTED.has(entry.name))
      try {
        count += filesBelow(join(folder, entry.name));
      } catch {
        // It was removed meanwhile.
      }
  }
  return count;
}
