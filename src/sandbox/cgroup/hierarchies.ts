/** Where this machine keeps its cgroups: version 1, version 2, or both (hybrid, where version 1 has the controllers). */
import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";

export type CgroupVersion = "v1" | "v2" | "hybrid" | "none";

export interface Hierarchies {
  readonly version: CgroupVersion;
  /** Controller → mount point of its version 1 hierarchy. */
  readonly v1: ReadonlyMap<string, string>;
  /** Mount point of the version 2 hierarchy. */
  readonly v2: string | undefined;
  /** Every mount point, those without controllers included. */
  readonly mounts: readonly string[];
  /** The kernel can count swap, so that a limit on memory is one on swap too. */
  readonly swapAccounting: boolean;
}

const V1_CONTROLLERS = ["memory", "cpu", "pids", "freezer", "devices"] as const;

/** Reads the machine's mounts. */
export async function readHierarchies(mountInfo = "/proc/self/mountinfo"): Promise<Hierarchies> {
  const text = await readFile(mountInfo, "utf8").catch(() => "");
  const v1 = new Map<string, string>();
  const mounts: string[] = [];
  let v2: string | undefined;
  for (const line of text.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const mount = before.split(" ")[4];
    const [type, , options = ""] = after.split(" ");
    if (mount === undefined || (type !== "cgroup" && type !== "cgroup2")) continue;
    mounts.push(mount);
    if (type === "cgroup2") v2 = mount;
    else
      for (const controller of V1_CONTROLLERS)
        if (options.split(",").includes(controller)) v1.set(controller, mount);
  }
  const memory = v1.get("memory");
  return {
    version: v1.size > 0 ? (v2 === undefined ? "v1" : "hybrid") : v2 === undefined ? "none" : "v2",
    v1,
    v2,
    mounts,
    swapAccounting:
      memory === undefined ? v2 !== undefined : existsSync(join(memory, "memory.memsw.limit_in_bytes")),
  };
}

/** The controllers a limit needs that this machine lacks. */
export async function missingControllers(hierarchies: Hierarchies): Promise<string[]> {
  const needed = ["memory", "cpu", "pids"];
  if (hierarchies.version !== "v2") return needed.filter((name) => !hierarchies.v1.has(name));
  const text = await readFile(join(hierarchies.v2 ?? "", "cgroup.controllers"), "utf8").catch(() => "");
  return needed.filter((name) => !text.trim().split(" ").includes(name));
}
