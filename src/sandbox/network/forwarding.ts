/** Lets the host forward what sandboxes send outside, on as few interfaces as possible, and takes it back with the last server. */
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tryProgram } from "../run-program.ts";
import { INTERFACE_PREFIX } from "./firewall.ts";

/** Marks the interfaces on which we switched forwarding on; shared by all servers of this machine, empty after a boot. */
const MARKS = "/run/lambent/forwarding";

/** Writes a setting of one interface. */
export async function setInterface(name: string, setting: string, value: string): Promise<void> {
  await writeFile(`/proc/sys/net/ipv4/conf/${name}/${setting}`, value);
}

/**
 * Switches forwarding on where routes lead, since answers come in there. An interface that comes up later (a VPN) is
 * reached after the next start.
 * @returns the interfaces that did not forward before any Lambent server ran.
 */
export async function allowForwarding(): Promise<string[]> {
  const { stdout } = await tryProgram("ip", ["-4", "route", "show"]);
  const names = new Set([...stdout.matchAll(/ dev (\S+)/g)].map((match) => match[1] ?? ""));
  for (const name of names) if (name === "lo" || name.startsWith(INTERFACE_PREFIX)) names.delete(name);
  const guarded: string[] = [];
  await mkdir(MARKS, { recursive: true });
  const marked = await readdir(MARKS);
  for (const name of names) {
    // An interface may go between the question and this.
    const before = (
      await readFile(`/proc/sys/net/ipv4/conf/${name}/forwarding`, "utf8").catch(() => "1")
    ).trim();
    if (before === "1" && !marked.includes(name)) continue;
    await writeFile(join(MARKS, name), "");
    await setInterface(name, "forwarding", "1");
    guarded.push(name);
  }
  return guarded;
}

/** Switches forwarding off where we had switched it on; called when no Lambent server is left. */
export async function withdrawForwarding(): Promise<void> {
  for (const name of await readdir(MARKS).catch(() => [])) {
    // The interface may be gone.
    await setInterface(name, "forwarding", "0").catch(() => {});
    await rm(join(MARKS, name), { force: true });
  }
}
