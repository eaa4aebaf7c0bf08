/** What isolation, limits and tools this machine gives, and how to get what is missing; `lambent doctor` prints it. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, rmdir } from "node:fs/promises";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { missingControllers, readHierarchies } from "./cgroup/hierarchies.ts";
import type { CgroupVersion, Hierarchies } from "./cgroup/hierarchies.ts";
import { forwardingObstacles } from "./network/other-firewalls.ts";
import { seccompFilter } from "./oci/seccomp.ts";
import { tryProgram } from "./run-program.ts";

export interface MachineFinding {
  /** What was looked at: `runc`, `nft`, `cgroups`. */
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

/** Names of findings, so that others can ask for one. */
export type FindingName =
  | "linux"
  | "privileges"
  | "runc"
  | "gVisor"
  | "crun"
  | "cgroups"
  | "seccomp"
  | "user namespaces"
  | "ip"
  | "nft"
  | "forwarding"
  | "loop devices"
  | "size";

/** Bits of CapEff, from <linux/capability.h>. */
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;

/** What runc needs as root, and without being root. */
const NEEDED = {
  runc: ["linux", "privileges", "runc", "cgroups"],
  "runc-rootless": ["linux", "runc", "user namespaces"],
} as const satisfies Record<string, readonly FindingName[]>;

/** Looks at the machine; nothing that it changes stays. */
export async function inspectMachine(): Promise<MachineReport> {
  const hierarchies = await readHierarchies();
  const findings = await Promise.all([
    linux(),
    privileges(),
    runc(),
    gvisor(),
    crun(),
    cgroups(hierarchies),
    seccomp(),
    userNamespaces(),
    ip(),
    nft(),
    forwarding(),
    loopDevices(),
    size(),
  ]);
  const has = (names: readonly FindingName[]) =>
    names.every((name) => findings.some((finding) => finding.name === name && finding.found));
  const root = process.getuid?.() === 0;
  const provider = has(NEEDED.runc)
    ? "runc"
    : !root && has(NEEDED["runc-rootless"])
      ? "runc-rootless"
      : "process";
  return { provider, cgroups: hierarchies.version, findings };
}

type Finding = MachineFinding & { readonly name: FindingName };

const found = (name: FindingName, detail: string): Finding => ({ name, found: true, detail });
const lacking = (name: FindingName, detail: string, remedy: string): Finding => ({
  name,
  found: false,
  detail,
  remedy,
});

/** What is wanted only by who names it. */
const optional = (name: FindingName, detail: string, how: string): Finding => ({
  name,
  found: false,
  detail: `${detail}; ${how}`,
});

/** What a runtime that is asked for by name needs, and does not find: one sentence each. */
export function lackingFor(name: "runc" | "crun" | "runsc", machine: MachineReport): string[] {
  const program: FindingName = name === "runsc" ? "gVisor" : name;
  // gVisor has a network stack of its own, which needs a network slot to send from.
  const needed: FindingName[] = [
    "linux",
    "privileges",
    program,
    "cgroups",
    ...(name === "runsc" ? (["ip", "nft"] as const) : []),
  ];
  return machine.findings
    .filter((finding) => !finding.found && needed.some((one) => one === finding.name))
    .map(
      ({ name: what, detail, remedy }) => `${what}: ${detail}.${remedy === undefined ? "" : ` ${remedy}`}`,
    );
}

/** Starts a program in gVisor, without a network. @returns why it does not run here; undefined when it does. */
export async function tryGvisor(): Promise<string | undefined> {
  const records = await mkdtemp(join(tmpdir(), "lambent-gvisor-"));
  try {
    const flags = ["--root", records, "--network=none", "--ignore-cgroups"];
    // Through pipes: gVisor shuts down the sockets that it is given, and the shell that starts our tools has such for its output.
    const script = 'said=$("$@" 2>&1 </dev/null); code=$?; printf "%s" "$said"; exit $code';
    const command = ["runsc", ...flags, "do", "/bin/true"];
    const { code, stdout } = await tryProgram("/bin/sh", ["-c", script, "sh", ...command]);
    return code === 0 ? undefined : stdout.trim() || `runsc ended with ${code}`;
  } finally {
    await rm(records, { recursive: true, force: true });
  }
}

async function linux(): Promise<Finding> {
  if (process.platform !== "linux")
    return lacking(
      "linux",
      process.platform,
      "Functions are not isolated; sandboxes need Linux (a virtual machine will do).",
    );
  return found("linux", (await readFile("/proc/sys/kernel/osrelease", "utf8")).trim());
}

async function privileges(): Promise<Finding> {
  const cost =
    "Limits and networks of functions need root; start the server as root, or run a virtual machine for it.";
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const missing = [
    ...((held >> CAP_SYS_ADMIN) & 1n ? [] : ["CAP_SYS_ADMIN"]),
    ...((held >> CAP_NET_ADMIN) & 1n ? [] : ["CAP_NET_ADMIN"]),
    ...(process.getuid?.() === 0 ? [] : ["uid 0"]),
  ];
  return missing.length === 0
    ? found("privileges", "root")
    : lacking("privileges", `not held: ${missing.join(", ")}`, cost);
}

async function runc(): Promise<Finding> {
  const { code, stdout, stderr } = await tryProgram("runc", ["--version"]);
  if (code === 0) return found("runc", stdout.split("\n")[0] ?? "");
  return lacking(
    "runc",
    stderr.trim(),
    "Functions are not isolated; install runc (Debian, Ubuntu, Fedora: the package runc).",
  );
}

async function gvisor(): Promise<Finding> {
  const { code, stdout, stderr } = await tryProgram("runsc", ["--version"]);
  if (code === 0) return found("gVisor", stdout.split("\n")[0] ?? "");
  return optional("gVisor", stderr.trim(), "for --sandbox runsc install runsc (Debian: the package runsc)");
}

async function crun(): Promise<Finding> {
  const { code, stdout, stderr } = await tryProgram("crun", ["--version"]);
  if (code === 0) return found("crun", stdout.split("\n")[0] ?? "");
  return optional("crun", stderr.trim(), "for --sandbox crun install crun");
}

async function cgroups(hierarchies: Hierarchies): Promise<Finding> {
  const cost = "Memory, CPU and process limits of functions need it";
  if (hierarchies.version === "none")
    return lacking("cgroups", "not mounted", `${cost}; mount cgroup2 at /sys/fs/cgroup.`);
  const controllers = await missingControllers(hierarchies);
  if (controllers.length > 0)
    return lacking(
      "cgroups",
      `no controller ${controllers.join(", ")}`,
      `${cost}; enable it on the kernel's command line.`,
    );
  const folder = hierarchies.v1.get("memory") ?? hierarchies.v2 ?? "";
  try {
    // Several servers may look at the same time, of one process or of several containers.
    await rmdir(await mkdtemp(join(folder, "lambent-trial-")));
  } catch (error) {
    const detail = `not writable: ${(error as Error).message}`;
    return lacking("cgroups", detail, `${cost}; run as root and with a writable /sys/fs/cgroup.`);
  }
  const swap = hierarchies.swapAccounting ? "" : ", swap not counted";
  return found("cgroups", `${hierarchies.version}: memory, cpu, pids${swap}`);
}

async function seccomp(): Promise<Finding> {
  const actions = await readFile("/proc/sys/kernel/seccomp/actions_avail", "utf8").catch(() => "");
  if (!actions.includes("errno"))
    return lacking(
      "seccomp",
      "not in this kernel",
      "System calls of functions are not filtered; use a kernel with CONFIG_SECCOMP_FILTER.",
    );
  if (seccompFilter() === undefined)
    return lacking(
      "seccomp",
      `no profile for ${process.arch}`,
      "System calls of functions are not filtered; use x64 or arm64.",
    );
  return found("seccomp", "filter");
}

/** A kernel setting; empty where the kernel has none of that name. */
async function setting(path: string): Promise<string> {
  return (await readFile(path, "utf8").catch(() => "")).trim();
}

async function userNamespaces(): Promise<Finding> {
  const cost = "Without them and without root, functions are not isolated";
  const most = await setting("/proc/sys/user/max_user_namespaces");
  if (most === "" || most === "0")
    return lacking("user namespaces", "switched off", `${cost}; set user.max_user_namespaces.`);
  if ((await setting("/proc/sys/kernel/unprivileged_userns_clone")) === "0")
    return lacking("user namespaces", "for root only", `${cost}; set kernel.unprivileged_userns_clone=1.`);
  if ((await setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")) === "1")
    return lacking(
      "user namespaces",
      "restricted by AppArmor",
      `${cost}; set kernel.apparmor_restrict_unprivileged_userns=0.`,
    );
  return found("user namespaces", `up to ${most}`);
}

async function ip(): Promise<Finding> {
  const cost = "Functions share the host's network";
  const { code, stdout, stderr } = await tryProgram("ip", ["-V"]);
  if (code !== 0) return lacking("ip", stderr.trim(), `${cost}; install iproute2.`);
  const nsenter = await tryProgram("nsenter", ["--help"]);
  if (nsenter.code !== 0) return lacking("ip", "no nsenter beside it", `${cost}; install util-linux.`);
  return found("ip", stdout.trim());
}

async function nft(): Promise<Finding> {
  const version = await tryProgram("nft", ["--version"]);
  const cost = "Functions share the host's network";
  if (version.code !== 0) return lacking("nft", version.stderr.trim(), `${cost}; install nftables.`);
  const list = await tryProgram("nft", ["list", "tables"]);
  if (list.code !== 0)
    return lacking("nft", list.stderr.trim(), `${cost}; nft needs root and a kernel with nf_tables.`);
  return found("nft", version.stdout.trim());
}

/** What other firewalls do to packets of functions. */
async function forwarding(): Promise<Finding> {
  const obstacles = await forwardingObstacles();
  return obstacles.length === 0
    ? found("forwarding", "no other firewall drops it by default")
    : lacking("forwarding", "dropped by default", obstacles.join(" "));
}

async function loopDevices(): Promise<Finding> {
  const cost = "/tmp of functions has no limit";
  const { code } = await tryProgram("mkfs.ext4", ["-V"]);
  if (code !== 0) return lacking("loop devices", "no mkfs.ext4", `${cost}; install e2fsprogs.`);
  if (!existsSync("/dev/loop-control"))
    return lacking("loop devices", "no /dev/loop-control", `${cost}; load the module loop.`);
  return found("loop devices", "/dev/loop-control");
}

function size(): Promise<Finding> {
  const gigabytes = (totalmem() / 1024 ** 3).toFixed(1);
  return Promise.resolve(found("size", `${availableParallelism()} CPUs, ${gigabytes} GiB of memory`));
}
