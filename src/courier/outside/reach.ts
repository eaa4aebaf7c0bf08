/** Which addresses the server calls on behalf of others: endpoints of topics and API destinations, and where connections sign in. */
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { NEVER_REACHED, PRIVATE_RANGES } from "../../config/outbound.ts";
import type { Destination, Outbound } from "../../config/outbound.ts";

export interface ReachPolicy {
  /** As it holds for functions. */
  readonly outbound: Outbound;
  /** Whether this machine and private networks are called too. */
  readonly localEndpoints: boolean;
  /** The server's own, which functions reach as well. */
  readonly serverPort: number;
  /** Addresses of this machine; read anew each time. */
  readonly ownAddresses?: () => readonly string[];
}

export interface Reach {
  /** Why an address is not called, as the end of a sentence; undefined where it is. @param host The name by which it was found, or itself. */
  fault(address: string, port: number, host: string): string | undefined;
}

const LOOPBACK = "127.0.0.0/8";
/** Those of sandboxes; what is in one of these blocks is a function. */
const SANDBOXES = "10.208.0.0/12";
/** Links, multicast, nowhere, and AWS's metadata service, https://www.iana.org/assignments/ipv6-address-space */
const NEVER_REACHED_V6 = ["::/128", "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::/32"] as const;
/** Unique local addresses, and those that lead elsewhere by what they carry (NAT64, 6to4, Teredo, discard). */
const PRIVATE_RANGES_V6 = ["::1/128", "fc00::/7", "64:ff9b::/32", "2002::/16", "2001::/32", "100::/64"];

const NEVER = blocks([
  ...NEVER_REACHED.filter((range) => range !== LOOPBACK),
  SANDBOXES,
  ...NEVER_REACHED_V6,
]);
const LOCAL = blocks([LOOPBACK, ...PRIVATE_RANGES, ...PRIVATE_RANGES_V6]);
const LOOPBACKS = blocks([LOOPBACK, "::1/128"]);

export function createReach(policy: ReachPolicy): Reach {
  const { outbound, localEndpoints, serverPort, ownAddresses = machineAddresses } = policy;
  const listed = outbound.allow.map(listing);
  return {
    fault(address, port, host) {
      if (NEVER.check(address, familyOf(address)))
        return `${address} is link-local, a metadata service, a function's or no host's, and never called`;
      const isOwn = LOOPBACKS.check(address, familyOf(address)) || isAmong(ownAddresses(), address);
      if (isOwn)
        return localEndpoints || port === serverPort ? undefined : locked(address, "on this machine");
      if (listed.some((matches) => matches(address, port, host))) return undefined;
      if (LOCAL.check(address, familyOf(address)))
        return localEndpoints ? undefined : locked(address, "in a private network");
      if (outbound.policy === "internet") return undefined;
      return `${address} is not reached with --outbound ${outbound.policy}, unless --outbound-allow lists it`;
    },
  };
}

function locked(address: string, where: string): string {
  return `${address} is ${where}, which is called only by a server that was started with --local-endpoints`;
}

type Matches = (address: string, port: number, host: string) => boolean;

function listing({ host: { kind, text }, ports }: Destination): Matches {
  const [first = 0, last = first] = (ports ?? "0-65535").split("-").map(Number);
  const isHost = kind === "name" ? nameMatcher(text) : rangeMatcher(text);
  return (address, port, host) => port >= first && port <= last && isHost(address, host);
}

function rangeMatcher(text: string): (address: string) => boolean {
  const range = blocks([text.includes("/") ? text : `${text}/32`]);
  return (address) => range.check(address, familyOf(address));
}

/** `*.example.com` is what lies below it. */
function nameMatcher(text: string): (address: string, host: string) => boolean {
  const below = text.startsWith("*.") ? text.slice(1) : undefined;
  return (_, host) => {
    const name = host.toLowerCase().replace(/\.$/, "");
    return below === undefined ? name === text : name.endsWith(below);
  };
}

/** A list that finds IPv4 addresses within IPv6 ones too. */
function blocks(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    list.addSubnet(address, Number(bits), familyOf(address));
  }
  return list;
}

/** In whichever form: an IPv4 address may be written as an IPv6 one. */
function isAmong(addresses: readonly string[], address: string): boolean {
  const list = new BlockList();
  for (const one of addresses) list.addAddress(one, familyOf(one));
  return list.check(address, familyOf(address));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
}
