/** Which servers of this machine have sandboxes, so that what a killed one left is found even when its state directory is gone. */
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ids } from "../../kit/id.ts";
import { startOf } from "../process-start.ts";

/** Where each server keeps its state. Empty after a boot, as are network namespaces, packet rules and cgroups. */
const RECORDS = "/run/lambent/servers";
/** The process of each, and when it began: in files of their own, since older servers read the others. */
const PROCESSES = "/run/lambent/processes";

/**
 * The name that this server's cgroups, namespaces and tables carry: its predecessor's in the same state directory, so that what a
 * killed one left is found by it. Recorded as this process's, before anything carries it.
 */
export async function claimInstance(stateDir: string, ids: Ids): Promise<string> {
  for (;;) {
    const instance = await instanceName(stateDir, ids);
    for (const folder of [RECORDS, PROCESSES]) await mkdir(folder, { recursive: true });
    await writeFile(join(PROCESSES, instance), `${process.pid} ${(await startOf(process.pid)) ?? ""}`);
    await writeFile(join(RECORDS, instance), stateDir);
    // Another server may be cleaning up after the predecessor at this moment.
    if ((await namedIn(stateDir)) === instance) return instance;
  }
}

/** The same name after a restart. */
export async function instanceName(stateDir: string, ids: Ids): Promise<string> {
  const known = await namedIn(stateDir);
  if (/^[0-9a-f]{8}$/.test(known)) return known;
  const name = ids.hex(8);
  await writeFile(join(stateDir, "instance"), name);
  return name;
}

/** Forgets a server that has given back everything. */
export async function forgetServer(instance: string): Promise<void> {
  for (const folder of [RECORDS, PROCESSES]) await rm(join(folder, instance), { force: true });
}

/**
 * Servers that were killed and have no successor yet, or none to come, since their state directory is gone. Of one whose record names
 * no process, only the directory can tell.
 */
export async function lostServers(): Promise<{ instance: string; stateDir: string }[]> {
  const lost: { instance: string; stateDir: string }[] = [];
  for (const instance of await readdir(RECORDS).catch(() => [])) {
    const stateDir = await text(join(RECORDS, instance));
    const process = await text(join(PROCESSES, instance));
    if (stateDir === "" || (await isRunning(process))) continue;
    if (
      (await namedIn(stateDir)) !== instance ||
      (process !== "" && (await takeAway(instance, stateDir, process)))
    )
      lost.push({ instance, stateDir });
  }
  return lost;
}

/** Takes a dead server's name out of its state directory: a successor has another. False where one has come already. */
async function takeAway(instance: string, stateDir: string, process: string): Promise<boolean> {
  const file = join(stateDir, "instance");
  await rm(file, { force: true });
  if ((await text(join(PROCESSES, instance))) === process) return true;
  await writeFile(file, instance, { flag: "wx" }).catch(() => {});
  return false;
}

function namedIn(stateDir: string): Promise<string> {
  return text(join(stateDir, "instance"));
}

/** What a file holds; nothing where there is none. */
function text(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}

/** @param process Its id and when it began. */
async function isRunning(process: string): Promise<boolean> {
  const [pid = "", began] = process.split(" ");
  return pid !== "" && began !== undefined && (await startOf(Number(pid))) === began;
}
