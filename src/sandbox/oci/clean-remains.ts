/** Takes down what a server that was killed left behind: processes, cgroups, mounts, network namespaces, packet rules, files. */
import { readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Hierarchies } from "../cgroup/hierarchies.ts";
import { sandboxCgroup } from "../cgroup/sandbox-cgroup.ts";
import { releaseBlock } from "../network/address-block.ts";
import { lowerFirewall } from "../network/firewall.ts";
import { interfacesGone, tableName } from "../network/isolated-network.ts";
import { removeNamespaces } from "../network/slot-script.ts";
import { tryProgram } from "../run-program.ts";

export interface RemainsDeps {
  readonly stateDir: string;
  readonly instance: string;
  /** Undefined where sandboxes have no cgroups. */
  readonly hierarchies: Hierarchies | undefined;
  /** Whether they have networks of their own. */
  readonly network: boolean;
}

/** Safe to call when there is nothing; a second call after a crash in the first finishes the work. */
export async function cleanRemains(deps: RemainsDeps): Promise<void> {
  if (deps.hierarchies) await endCgroups(deps.instance, deps.hierarchies);
  else await endContainers(join(deps.stateDir, "runc"));
  await Promise.all([
    deps.network ? removeNetwork(deps.instance) : undefined,
    unmountBelow(join(deps.stateDir, "scratch")),
    unmountBelow(join(deps.stateDir, "images")),
  ]);
  for (const name of ["scratch", "runc", "roots", "images"])
    await rm(join(deps.stateDir, name), { recursive: true, force: true });
}

/** Kills what runs in the cgroups of this server and removes them, and the cgroup above them. */
async function endCgroups(instance: string, hierarchies: Hierarchies): Promise<void> {
  const above = `/lambent-${instance}`;
  const names = new Set<string>();
  for (const mount of hierarchies.mounts)
    for (const entry of await readdir(join(mount, above), { withFileTypes: true }).catch(() => []))
      if (entry.isDirectory()) names.add(entry.name);
  await Promise.all([...names].map((name) => sandboxCgroup(hierarchies, `${above}/${name}`).remove()));
  await sandboxCgroup(hierarchies, above).remove();
}

/** Without cgroups, runc's own records name the first processes; their namespaces end with them. */
async function endContainers(runcRoot: string): Promise<void> {
  for (const id of await readdir(runcRoot).catch(() => []))
    await tryProgram("runc", ["--root", runcRoot, "delete", "--force", id]);
}

async function removeNetwork(instance: string): Promise<void> {
  const prefix = `${tableName(instance)}-`;
  await removeNamespaces(
    (await readdir("/run/netns").catch(() => [])).filter((name) => name.startsWith(prefix)),
  );
  await interfacesGone(instance);
  const table = await tryProgram("nft", ["list", "table", "ip", tableName(instance)]);
  const block = /ip saddr != (\d+\.\d+\.\d+\.\d+\/\d+)/.exec(table.stdout)?.[1];
  if (block) await releaseBlock(block);
  await lowerFirewall(tableName(instance));
}

async function unmountBelow(folder: string): Promise<void> {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  const points = text
    .split("\n")
    .map((line) => line.split(" ")[4]?.replaceAll("\\040", " ") ?? "")
    .filter((point) => point.startsWith(`${folder}/`));
  for (const point of points.reverse()) await tryProgram("umount", ["-l", point]);
}
