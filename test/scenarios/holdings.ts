/**
 * What a running server holds: memory, descriptors, kernel objects, files. What a scenario leaves behind grows one of these.
 *
 * The server makes sandboxes ahead of use, now more, now fewer. Each holds so and so many processes, mounts and descriptors: that
 * much is taken off, and what is left must be the same before and after.
 */
import { existsSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { instanceOf, remains } from "../harness/remains.ts";
import type { Memory } from "./measured-server.ts";

/** Counts, by what is counted. */
export interface Holdings {
  /** Beyond what the sandboxes that live need for themselves. */
  readonly counts: Readonly<Record<string, number>>;
  readonly sandboxes: Sandboxes;
  /** What the descriptors are, for whoever reads a failure. */
  readonly descriptors: readonly string[];
  /** Bytes, after a garbage collection. */
  readonly memory: Memory;
  /** Bytes; the kernel's own figure, which depends on when memory is given back. */
  readonly resident: number;
}

/** The sandboxes that live, by how far they are. */
export interface Sandboxes {
  /** With nothing in them yet. */
  readonly prepared: number;
  /** With a runtime that waits for a function. */
  readonly waiting: number;
  /** With a function's code: the execution environments. */
  readonly environments: number;
}

/** Of a sandbox with nothing in it: process 1 and what starts programs. One with a runtime has it and what waits for it, too. */
const PROCESSES = { prepared: 2, booted: 4 };
/** The server's ends of its pipes; one with a runtime has the runtime's connection, too. */
const DESCRIPTORS = { prepared: 5, booted: 6 };
/** The server's ends of the pipes of a shell that runs the host's tools. */
const SHELL_DESCRIPTORS = 3;

export function holdings(pid: number, dataDir: string, memory: Memory): Holdings {
  const state = join(dataDir, "sandboxes");
  const { cgroups, mounts, loops, namespaces, interfaces, processes, tables, routes } = remains(
    dataDir,
    instanceOf(state),
  );
  const groups = new Set(cgroups.flatMap((path) => foldersIn(join("/sys/fs/cgroup", path))));
  const scratch = scratchFolders(state, mounts);
  const sandboxes = sandboxesOf(scratch, groups);
  const booted = sandboxes.waiting + sandboxes.environments;
  const all = sandboxes.prepared + booted;
  const descriptors = descriptorsOf(pid);
  const children = childrenOf(pid);
  const ownOf = ({ prepared, booted: each }: typeof PROCESSES) =>
    prepared * sandboxes.prepared + each * booted;
  return {
    counts: {
      environments: sandboxes.environments,
      cgroups: groups.size - all,
      "folders of sandboxes": scratch.size - all,
      loops: loops.length - scratch.size,
      "mounts outside of sandboxes' folders": [...mounts].filter((line) => !ownerOf(line, scratch)).length,
      namespaces: namespaces.length - all,
      interfaces: interfaces.length - all,
      processes: processes.length - ownOf(PROCESSES),
      descriptors: descriptors.length - ownOf(DESCRIPTORS) - SHELL_DESCRIPTORS * children,
      tables: tables.length,
      routes: routes.length,
      records: readdirSync(join(state, "runc")).filter((name) => !name.endsWith(".lock")).length - all,
      "folders of sockets": foldersIn(join(state, "run")).length - sandboxes.waiting,
      children,
      "folders of code": readdirSync(join(dataDir, "code")).length,
      "unfinished blobs": readdirSync(join(dataDir, "blobs-unfinished")).length,
    },
    sandboxes,
    descriptors,
    memory,
    resident: Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024,
  };
}

/** Each sandbox's folder, used or ready, by path, with what is mounted into that sandbox late; undefined where nothing can be. */
type ScratchFolders = ReadonlyMap<string, readonly string[] | undefined>;

function scratchFolders(state: string, mounts: readonly string[]): ScratchFolders {
  const folder = join(state, "scratch");
  return new Map(
    foldersIn(folder).map((name) => {
      const late = join(folder, name, "late");
      const own = mounts.map(targetOf).filter((target) => target === late || target.startsWith(`${late}/`));
      return [join(folder, name), own.length === 0 ? undefined : own.map((path) => path.slice(late.length))];
    }),
  );
}

function sandboxesOf(scratch: ScratchFolders, groups: ReadonlySet<string>): Sandboxes {
  const late = [...scratch.values()].filter((mounts) => mounts !== undefined);
  const used = late.filter((mounts) => mounts.includes("/task"));
  const prepared = late.filter((mounts) => mounts.length === 1);
  return {
    prepared: prepared.length,
    waiting: late.length - used.length - prepared.length,
    // What has all its mounts from the beginning is made for one function.
    environments: used.length + [...groups].filter((name) => name.startsWith("f-")).length,
  };
}

/** Whether a mount is a sandbox's own, which goes with it. */
function ownerOf(line: string, scratch: ScratchFolders): boolean {
  const target = targetOf(line);
  return [...scratch.keys()].some((folder) => target.startsWith(`${folder}/`) && existsSync(folder));
}

/** Where a line of /proc/self/mountinfo says that something is mounted. */
function targetOf(line: string): string {
  return line.split(" ")[4] ?? "";
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
