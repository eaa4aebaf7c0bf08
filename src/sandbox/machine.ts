/** What isolation, limits and tools this machine gives, and how to get what is missing; `lambent doctor` prints it. */
import { getuid } from "node:process";
import { tryProgram } from "./run-program.ts";
import { readHierarchies } from "./cgroup/hierarchies.ts";
import type { CgroupVersion } from "./cgroup/hierarchies.ts";

export interface MachineFinding {
  /** What was looked at: `runc`, `nft`, `cgroup memory`. */
  readonly name: string;
  readonly found: boolean;
  /** Version, path or reason. */
  readonly detail: string;
  /** What its absence costs and how to get it; absent when found. */
  readonly remedy?: string;
}

export interface MachineReport {
  /** What `--sandbox auto` takes here. */
  readonly provider: "runc" | "runc-rootless" | "process";
  readonly cgroups: CgroupVersion;
  readonly findings: readonly MachineFinding[];
}

/** Looks at the machine; changes nothing that stays. */
export async function inspectMachine(): Promise<MachineReport> {
  const hierarchies = await readHierarchies();
  const runc = await tryProgram("runc", ["--version"]);
  const root = getuid?.() === 0;
  return {
    provider: runc.code === 0 && root ? "runc" : "process",
    cgroups: hierarchies.version,
    findings: [
      runc.code === 0
        ? { name: "runc", found: true, detail: runc.stdout.split("\n")[0] ?? "" }
        : {
            name: "runc",
            found: false,
            detail: runc.stderr,
            remedy: "Functions are not isolated; install runc (apt install runc).",
          },
    ],
  };
}
