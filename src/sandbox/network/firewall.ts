/**
 * The packet rules of one server on the host, in an nftables table of its own: the same few lines however many sandboxes there are.
 * They are added to the user's own, never instead of them, and are gone with the table. What may leave a sandbox, its slot's own
 * rules decide (slot-rules.ts); these lead it to the server's ports and outside, and hold whatever the slot's rules may say: never
 * another sandbox, another port of this host, the cloud's metadata, or a packet from an address that is no sandbox's.
 */
import { NEVER_REACHED } from "../../config/outbound.ts";
import { runProgram, tryProgram } from "../run-program.ts";

/**
 * The address that sandboxes know the server by, on every sandbox's link; nobody owns it, since packets to it are redirected.
 * AWS's own Runtime API answers at an address of this kind.
 */
export const GATEWAY = "169.254.100.1";
/**
 * Where sandboxes that may be restored ask for credentials: SDKs take them from this address (that of Amazon EKS's agent; since the end of 2023)
 * and from few others. Nobody owns it either.
 */
export const CREDENTIALS = "169.254.170.23";
/** Begins the name of every interface of every Lambent server. */
export const INTERFACE_PREFIX = "lmb";

export interface FirewallRules {
  readonly table: string;
  /** Begins the names of this server's interfaces. */
  readonly interfaces: string;
  readonly cidr: string;
  /** Ports of 127.0.0.1 that sandboxes reach at the gateway. */
  readonly ports: readonly number[];
  /** The one of them that answers at the address of credentials; undefined where none does. */
  readonly credentials: number | undefined;
  /** The name server at the gateway, on the host's loopback. */
  readonly resolver: { readonly address: string; readonly port: number } | undefined;
  /** Whether anything outside is reached. */
  readonly outside: boolean;
  /** Interfaces on which the host did not forward before we asked it to; they go on not forwarding for others. */
  readonly guarded: readonly string[];
}

/** The whole table as a script for `nft -f`. */
export function firewallScript(rules: FirewallRules): string {
  const inside = `iifname "${rules.interfaces}*"`;
  const ours = `"${INTERFACE_PREFIX}*"`;
  const ports = rules.ports.join(", ");
  const { resolver } = rules;
  const dns = "meta l4proto { tcp, udp } th dport";
  return `table ip ${rules.table} {
  chain to_server {
    type nat hook prerouting priority dstnat; policy accept;
    ${inside} ip daddr ${GATEWAY} tcp dport { ${ports} } dnat to 127.0.0.1
    ${rules.credentials === undefined ? "" : `${inside} ip daddr ${CREDENTIALS} tcp dport 80 dnat to 127.0.0.1:${rules.credentials}`}
    ${resolver ? `${inside} ip daddr ${GATEWAY} ${dns} 53 dnat to ${resolver.address}:${resolver.port}` : ""}
  }
  chain to_host {
    type filter hook input priority filter - 5; policy accept;
    ${inside} ip saddr != ${rules.cidr} drop
    ${inside} ct state established,related accept
    ${inside} ip daddr 127.0.0.1 tcp dport { ${ports} } ct status dnat accept
    ${resolver ? `${inside} ip daddr ${resolver.address} ${dns} ${resolver.port} ct status dnat accept` : ""}
    ${refuse(inside)}
  }
  chain through_host {
    type filter hook forward priority filter - 5; policy accept;
    ${rules.guarded.map((name) => guard(name)).join("\n    ")}
    ${inside} ip saddr != ${rules.cidr} drop
    ${refuse(`${inside} oifname ${ours}`)}
    oifname "${rules.interfaces}*" ct state established,related accept
    oifname "${rules.interfaces}*" drop
    ${refuse(`${inside} ip daddr { ${NEVER_REACHED.join(", ")} }`)}
    ${rules.outside ? "" : refuse(inside)}
  }
  chain leave {
    type nat hook postrouting priority srcnat; policy accept;
    ${rules.outside ? `ip saddr ${rules.cidr} oifname != ${ours} masquerade` : ""}
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
