/** What a server has on this machine outside its own process: mounts, namespaces, interfaces, cgroups, processes, files. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export interface Remains {
  readonly mounts: string[];
  readonly namespaces: string[];
  readonly interfaces: string[];
  readonly loops: string[];
  readonly tables: string[];
  readonly routes: string[];
  readonly cgroups: string[];
  readonly processes: string[];
}

export const NOTHING: Remains = {
  mounts: [],
  namespaces: [],
  interfaces: [],
  loops: [],
  tables: [],
  routes: [],
  cgroups: [],
  processes: [],
};

/** The name that a server's cgroups, namespaces and tables carry. */
export function instanceOf(stateDir: string): string {
  return readFileSync(join(stateDir, "instance"), "utf8");
}

/** Everything of a server's, found by its instance and its folder. */
export function remains(folder: string, instance: string): Remains {
  return {
    mounts: lines(readFileSync("/proc/self/mountinfo", "utf8"), folder),
    namespaces: list("/run/netns").filter((name) => name.includes(instance)),
    interfaces: list("/sys/class/net").filter((name) => name.includes(instance.slice(0, 7))),
    loops: lines(run("losetup", "-a"), folder),
    tables: lines(run("nft", "list", "tables"), instance),
    routes: lines(run("ip", "-4", "route", "show"), blockOf(instance)),
    cgroups: cgroupParents().filter((path) => path.includes(instance)),
    processes: list("/proc").filter((name) => /^\d+$/.test(name) && belongs(name, instance)),
  };
}

/** The address block of each instance, from the time when its rules still stood. */
const blocks = new Map<string, string>();

/** The route of a server's addresses as `ip` prints it; text that no line holds when there never was one. */
function blockOf(instance: string): string {
  const cidr = /ip saddr != (\S+)/.exec(run("nft", "list", "table", "ip", `lambent-${instance}`))?.[1];
  if (cidr) blocks.set(instance, `unreachable ${cidr}`);
  return blocks.get(instance) ?? "no such route";
}

/** Version 1 has a hierarchy for each controller, version 2 one for all. */
function cgroupParents(): string[] {
  const root = "/sys/fs/cgroup";
  return list(root).flatMap((name) => [name, ...list(join(root, name)).map((inner) => join(name, inner))]);
}

function lines(text: string, pattern: string): string[] {
  return text.split("\n").filter((line) => line.includes(pattern));
}

function list(path: string): string[] {
  try {
    return existsSync(path) ? readdirSync(path) : [];
  } catch {
    // A file, or a process that ended meanwhile.
    return [];
  }
}

function run(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
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
