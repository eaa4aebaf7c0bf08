/** The host's name servers. */
import { readFile } from "node:fs/promises";

/** The stub of systemd-resolved listens on loopback; the servers behind it stand here. */
const RESOLVED = "/run/systemd/resolve/resolv.conf";
const RESOLVERS_MAX = 3;

/** The host's IPv4 name servers: those that a sandbox can reach by itself, else one on the host's loopback. */
export async function hostResolvers(): Promise<string[]> {
  const all = nameServers(await readFile("/etc/resolv.conf", "utf8").catch(() => ""));
  if (all.some((address) => !address.startsWith("127.")))
    return all.filter((address) => !address.startsWith("127."));
  const behind = nameServers(await readFile(RESOLVED, "utf8").catch(() => "")).filter(
    (one) => !one.startsWith("127."),
  );
  return behind.length > 0 ? behind : all.slice(0, 1);
}

/** /etc/resolv.conf of a sandbox. */
export function resolvConf(addresses: readonly string[]): string {
  return addresses.map((address) => `nameserver ${address}\n`).join("") + "options timeout:2 attempts:3\n";
}

function nameServers(text: string): string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)]
    .map((match) => match[1] ?? "")
    .slice(0, RESOLVERS_MAX);
}
