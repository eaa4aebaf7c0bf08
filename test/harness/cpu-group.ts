/** What the kernel holds of a process's CPU: the control group that it is in, as a machine of either version shows it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readHierarchies } from "../../src/sandbox/cgroup/hierarchies.ts";

const { v1, v2, version } = await readHierarchies();

/** CPU time in each period, in microseconds. */
export function quotaOf(pid: number | string): number {
  const folder = folderOf(pid);
  if (version === "v2") return Number(readFileSync(join(folder, "cpu.max"), "utf8").split(" ")[0]);
  return Number(readFileSync(join(folder, "cpu.cfs_quota_us"), "utf8"));
}

/** Who it lets go first; @throws where there is no such process. */
export function priorityOf(pid: number | string): "idle" | "normal" {
  const folder = folderOf(pid);
  const idle = join(folder, "cpu.idle");
  if (existsSync(idle)) return readFileSync(idle, "utf8").trim() === "1" ? "idle" : "normal";
  // Before Linux 5.15; 2 is the least that version 1 takes, 1 that version 2 does.
  const weight = readFileSync(join(folder, version === "v2" ? "cpu.weight" : "cpu.shares"), "utf8");
  return Number(weight) <= 2 ? "idle" : "normal";
}

function folderOf(pid: number | string): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const [, , path = ""] =
    lines.find(([number, controllers]) =>
      version === "v2" ? number === "0" : controllers?.split(",").includes("cpu"),
    ) ?? [];
  return join((version === "v2" ? v2 : v1.get("cpu")) ?? "", path);
}
