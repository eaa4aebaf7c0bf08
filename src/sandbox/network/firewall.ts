/**
 * The packet rules of one server, in an nftables table of its own. They are added to the user's own, never instead of them, and
 * are gone with the table. What the rules say: a sandbox reaches the server's ports and, where allowed, the outside;
 * never another sandbox, another port of this host, or the cloud's metadata.
 */
import { runProgram, tryProgram } from "../run-program.ts";

/**
 * The address that sandboxes know the server by, on every sandbox's link; nobody owns it, since packets to it are redirected.
 * AWS's own Runtime API answers at an address of this kind.
 */
export const GATEWAY = "169.254.100.1";
/** Begins the name of every interface of every Lambent server. */
export const INTERFACE_PREFIX = "lmb";

export interface FirewallRules {
  readonly table: string;
  /** Begins the names of this server's interfaces. */
  readonly interfaces: string;
  readonly cidr: string;
  /** Ports of 127.0.0.1 that sandboxes reach at the gateway. */
  readonly ports: readonly number[];
  /** Name servers: those on loopback are reached through the gateway, others directly. */
  readonly resolvers: readonly string[];
  readonly outbound: "internet" | "none";
  /** Interfaces on which the host did not forward before we asked it to; they go on not forwarding for others. */
  readonly guarded: readonly string[];
}

/** The whole table as a script for `nft -f`. */
export function firewallScript(rules: FirewallRules): string {
  const inside = `iifname "${rules.interfaces}*"`;
  const ours = `"${INTERFACE_PREFIX}*"`;
  const loopback = rules.resolvers.filter((address) => address.startsWith("127."))[0];
  const remote = rules.resolvers.filter((address) => !address.startsWith("127."));
  const ports = rules.ports.join(", ");
  const resolve = rules.outbound === "internet";
  return `table ip ${rules.table} {
  chain to_server {
    type nat hook prerouting priority dstnat; policy accept;
    ${inside} ip daddr ${GATEWAY} tcp dport { ${ports} } dnat to 127.0.0.1
    ${resolve && loopback ? `${inside} ip daddr ${GATEWAY} meta l4proto { tcp, udp } th dport 53 dnat to ${loopback}` : ""}
  }
  chain to_host {
    type filter hook input priority filter - 5; policy accept;
    ${inside} ct state established,related accept
    ${inside} ip daddr 127.0.0.1 tcp dport { ${ports} } ct status dnat accept
    ${resolve && loopback ? `${inside} ip daddr ${loopback} meta l4proto { tcp, udp } th dport 53 ct status dnat accept` : ""}
    ${refuse(inside)}
  }
  chain through_host {
    type filter hook forward priority filter - 5; policy accept;
    ${rules.guarded.map((name) => guard(name)).join("\n    ")}
    ${refuse(`${inside} oifname ${ours}`)}
    oifname "${rules.interfaces}*" ct state established,related accept
    oifname "${rules.interfaces}*" drop
    ${resolve && remote.length > 0 ? `${inside} ip daddr { ${remote.join(", ")} } meta l4proto { tcp, udp } th dport 53 accept` : ""}
    ${refuse(`${inside} ip daddr { 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/3 }`)}
    ${resolve ? "" : refuse(inside)}
  }
  chain leave {
    type nat hook postrouting priority srcnat; policy accept;
    ${resolve ? `ip saddr ${rules.cidr} oifname != ${ours} masquerade` : ""}
  }
}
`;
}

/** A refusal that programs notice at once; dropped packets would leave them waiting for a timeout. */
function refuse(match: string): string {
  return `${match} meta l4proto tcp reject with tcp reset\n    ${match} reject with icmp admin-prohibited`;
}

/** What others send to be forwarded goes nowhere, as before; what was redirected on purpose (Docker's published ports) does. */
function guard(name: string): string {
  const others = `iifname "${name}" oifname != "${INTERFACE_PREFIX}*"`;
  return `${others} ct status dnat accept\n    ${others} ct state new drop`;
}

/** Loads the rules, replacing an older table of the same name in the same transaction. */
export async function raiseFirewall(rules: FirewallRules): Promise<void> {
  // The first line makes the deletion succeed whether or not the table is there.
  await runProgram(
    "nft",
    ["-f", "-"],
    `table ip ${rules.table}\ndelete table ip ${rules.table}\n${firewallScript(rules)}`,
  );
}

/** Removes a table; one that is gone is no error. */
export async function lowerFirewall(table: string): Promise<void> {
  await tryProgram("nft", ["delete", "table", "ip", table]);
}

/** The tables of all Lambent servers on this machine. */
export async function lambentTables(): Promise<string[]> {
  const { stdout } = await tryProgram("nft", ["list", "tables", "ip"]);
  return stdout.split("\n").flatMap((line) => /^table ip (lambent-\S+)$/.exec(line.trim())?.[1] ?? []);
}
