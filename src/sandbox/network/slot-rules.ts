/**
 * The packet rules inside one slot: what its sandbox may reach. They stand in the slot's own network namespace and are made with it,
 * ahead of use, so that the host's table stays as it is however many sandboxes there are. A sandbox cannot change them: it has no
 * capabilities, and under gVisor it has not even the namespace that they stand in.
 */
import { NEVER_REACHED, PRIVATE_RANGES } from "../../config/outbound.ts";
import type { Destination, Outbound } from "../../config/outbound.ts";
import { CREDENTIALS, GATEWAY } from "./firewall.ts";

export const SLOT_TABLE = "lambent";
/** Addresses that one list of names may lead to at a time; a name that answers with ever new ones fills no memory. */
const PINNED_MAX = 4_096;

/**
 * Connections that a sandbox may have and begin. The kernel keeps a table of all connections of the host, finished ones for two minutes; one
 * function that filled it would cut off all others.
 */
const CONNECTIONS_MAX = 4_096;
const BEGIN = "limit rate over 500/second burst 2000 packets";

export interface SlotPolicy {
  /** TCP ports of the server, at the gateway. */
  readonly ports: readonly number[];
  /** Name servers that are reached directly. */
  readonly resolvers: readonly string[];
  /** Whether a name server answers at the gateway. */
  readonly resolverAtGateway: boolean;
  /** Whether the sandbox's own Runtime API answers at the address of credentials. */
  readonly credentials: boolean;
  readonly outbound: Outbound;
}

/** Destinations with the same ports, which share a set of addresses. */
export interface DestinationGroup {
  readonly ports: string | undefined;
  readonly ranges: readonly string[];
  readonly names: readonly string[];
  /** The set that holds the addresses of its names. */
  readonly pinned: string;
}

/** The list by ports. */
export function groupDestinations(allow: readonly Destination[]): DestinationGroup[] {
  const ports = [...new Set(allow.map((one) => one.ports))];
  return ports.map((each, n) => {
    const hosts = allow.filter((one) => one.ports === each).map((one) => one.host);
    const texts = (kind: string) => hosts.filter((host) => host.kind === kind).map((host) => host.text);
    return { ports: each, ranges: texts("range"), names: texts("name"), pinned: `pinned_${n}` };
  });
}

/**
 * The whole table as a script for `nft -f`.
 * @param address The sandbox's; it sends from no other.
 * @param inner The interface that leads to the sandbox, where it lies in a namespace behind this one.
 */
export function slotRules(policy: SlotPolicy, address: string, inner: string | undefined): string {
  const groups = groupDestinations(policy.outbound.allow);
  const leave =
    inner === undefined
      ? `type filter hook output priority filter; policy drop;
    oifname "lo" accept
    jump permit`
      : `type filter hook forward priority filter; policy drop;
    iifname "eth0" oifname "${inner}" accept
    iifname "${inner}" oifname "eth0" jump permit`;
  return `table inet ${SLOT_TABLE} {
${groups.flatMap(sets).join("")}  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain permit {
    meta nfproto ipv6 goto refuse
    ip saddr != ${address} drop
    ip daddr ${GATEWAY} tcp flags & (syn | ack) == syn ${BEGIN} goto refuse
    ${policy.resolverAtGateway ? `ip daddr ${GATEWAY} meta l4proto udp ${BEGIN} goto refuse` : ""}
    ${policy.ports.length > 0 ? `ip daddr ${GATEWAY} tcp dport { ${policy.ports.join(", ")} } accept` : ""}
    ${policy.resolverAtGateway ? `ip daddr ${GATEWAY} meta l4proto { tcp, udp } th dport 53 accept` : ""}
    ct state established,related accept
    ct state new ${BEGIN} goto refuse
    ct state new ct count over ${CONNECTIONS_MAX} goto refuse
    ${policy.credentials ? `ip daddr ${CREDENTIALS} tcp dport 80 accept` : ""}
    ip daddr { ${NEVER_REACHED.join(", ")} } goto refuse
    ${policy.resolvers.length > 0 ? `ip daddr { ${policy.resolvers.join(", ")} } meta l4proto { tcp, udp } th dport 53 accept` : ""}
    ${groups.flatMap(allowed).join("\n    ")}
    ${policy.outbound.policy === "internet" ? `ip daddr != { ${PRIVATE_RANGES.join(", ")} } accept` : ""}
    goto refuse
  }
  chain to_gateway {
    type filter hook ${inner === undefined ? "output" : "prerouting"} priority raw; policy accept;
    ip daddr ${GATEWAY} notrack
  }
  chain from_gateway {
    type filter hook prerouting priority raw; policy accept;
    ip saddr ${GATEWAY} notrack
  }
  chain leave {
    ${leave}
  }
  ${inner === undefined ? "" : `chain behind { type filter hook input priority filter; policy accept; iifname "${inner}" drop; }`}
}
`;
}

/** The script that makes addresses reachable for some time; it renews those that are reachable already. */
export function pinScript(set: string, addresses: readonly string[], seconds: number): string {
  const element = (address: string) => `element inet ${SLOT_TABLE} ${set} { ${address}`;
  // To add what is there renews nothing, and to delete what is not there fails: so all three, in one transaction.
  return addresses
    .map(
      (address) =>
        `add ${element(address)} }\ndelete ${element(address)} }\nadd ${element(address)} timeout ${seconds}s }\n`,
    )
    .join("");
}

function sets(group: DestinationGroup, n: number): string[] {
  return [
    group.ranges.length > 0
      ? `  set ranges_${n} { type ipv4_addr; flags interval; auto-merge; elements = { ${group.ranges.join(", ")} } }\n`
      : "",
    group.names.length > 0
      ? `  set ${group.pinned} { type ipv4_addr; flags timeout; size ${PINNED_MAX}; }\n`
      : "",
  ];
}

function allowed(group: DestinationGroup, n: number): string[] {
  const ports = group.ports === undefined ? "" : `meta l4proto { tcp, udp } th dport ${group.ports} `;
  return [
    ...(group.ranges.length > 0 ? [`ip daddr @ranges_${n} ${ports}accept`] : []),
    ...(group.names.length > 0 ? [`ip daddr @${group.pinned} ${ports}accept`] : []),
  ];
}
