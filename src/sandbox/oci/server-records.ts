/** Which servers of this machine have sandboxes, so that what a killed one left is found even when its state directory is gone. */
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Empty after a boot, as are network namespaces, packet rules and cgroups. */
const RECORDS = "/run/lambent/servers";

/** Says that a server with this name keeps its state here. */
export async function recordServer(instance: string, stateDir: string): Promise<void> {
  await mkdir(RECORDS, { recursive: true });
  await writeFile(join(RECORDS, instance), stateDir);
}

/** Forgets a server that has given back everything. */
export async function forgetServer(instance: string): Promise<void> {
  await rm(join(RECORDS, instance), { force: true });
}

/**
 * Servers whose state directory does not know them any more: no successor can come to clean up after them. One whose
 * directory still names it is left alone, since it runs, or its own successor sees to it.
 */
export async function lostServers(): Promise<{ instance: string; stateDir: string }[]> {
  const lost: { instance: string; stateDir: string }[] = [];
  for (const instance of await readdir(RECORDS).catch(() => [])) {
    const stateDir = await readFile(join(RECORDS, instance), "utf8").catch(() => "");
    const named = await readFile(join(stateDir, "instance"), "utf8").catch(() => "");
    if (stateDir !== "" && named !== instance) lost.push({ instance, stateDir });
  }
  return lost;
}
