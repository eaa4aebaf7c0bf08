/** What functions may reach beyond Lambent: the policy, and the destinations that an operator lists. */

/** `internet`: public addresses, as a function without a VPC on AWS; `none`: nothing; `allow-list`: what is listed and nothing else. */
export type OutboundPolicy = "internet" | "none" | "allow-list";

/** One entry of the list: an IPv4 range or a name, and the ports there. */
export interface Destination {
  /** `10.0.0.0/8` or an address; or a name: `api.example.com`, `*.example.com` (anything below it, not itself). */
  readonly host: { readonly kind: "range" | "name"; readonly text: string };
  /** `443` or `8000-8100`, of TCP and UDP; all ports and protocols when absent. */
  readonly ports: string | undefined;
}

export interface Outbound {
  readonly policy: OutboundPolicy;
  /** Reached in addition to what the policy gives. */
  readonly allow: readonly Destination[];
}

/** Entries of the list; each is a rule in every sandbox's network. */
const DESTINATIONS_MAX = 256;

/** Name servers that the C library asks. */
const RESOLVERS_MAX = 3;

/**
 * Ranges that no policy opens: this host (127/8, 0/8), its links and the metadata services of AWS, Google and Azure (169.254/16), the
 * ones elsewhere (Azure's 168.63.129.16, Oracle's 192.0.0.192, Alibaba's 100.100.100.200), and multicast, reserved and broadcast addresses.
 */
export const NEVER_REACHED = [
  "0.0.0.0/8",
  "100.100.100.200/32",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "192.0.0.192/32",
  "224.0.0.0/3",
] as const;

/** Ranges that are not the internet (RFC 6890): reached only where they are listed. */
export const PRIVATE_RANGES = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
] as const;

/**
 * Reads `10.0.0.0/8,db.internal:5432,*.example.com:443`.
 * @throws Error that says which entry is wrong, and why.
 */
export function parseDestinations(text: string): Destination[] {
  const entries = text
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean);
  if (entries.length > DESTINATIONS_MAX)
    throw new Error(`it has ${entries.length} entries; at most ${DESTINATIONS_MAX} are possible`);
  return entries.map(parseDestination);
}

/** Reads `10.0.0.2,10.0.0.3`. @throws Error that says which address is wrong, and why. */
export function parseResolvers(text: string): string[] {
  const addresses = text
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean);
  if (addresses.length > RESOLVERS_MAX)
    throw new Error(
      `it has ${addresses.length} addresses; name servers beyond ${RESOLVERS_MAX} are never asked`,
    );
  for (const address of addresses)
    if (address.includes("/") || rangeOf(address) === undefined)
      throw new Error(`"${address}" is no IPv4 address of a name server`);
  return addresses;
}

/** @throws Error when the policy and the list contradict each other. */
export function checkOutbound(policy: OutboundPolicy, allow: readonly Destination[]): void {
  if (policy === "none" && allow.length > 0)
    throw new Error("outbound is none, which lets nothing out; use outbound allow-list with a list");
  if (policy === "allow-list" && allow.length === 0)
    throw new Error("outbound is allow-list and the list is empty; use outbound none to let nothing out");
}

function parseDestination(entry: string): Destination {
  if (entry.includes("[") || entry.split(":").length > 2)
    throw new Error(`"${entry}" is an IPv6 address; functions have no IPv6, so name an IPv4 address`);
  const [host = "", ports] = entry.toLowerCase().split(":");
  if (ports !== undefined && !arePorts(ports))
    throw new Error(
      `"${entry}" has the port "${ports}"; it must be 1 to 65535, or a range such as 8000-8100`,
    );
  if (/^[\d./]+$/.test(host)) return { host: { kind: "range", text: checkRange(entry, host) }, ports };
  if (!isName(host))
    throw new Error(
      `"${entry}" is neither an IPv4 range (10.0.0.0/8), an address, nor a name (api.example.com, *.example.com)`,
    );
  return { host: { kind: "name", text: host.replace(/\.$/, "") }, ports };
}

function arePorts(text: string): boolean {
  const [first, last = first] = text.split("-").map((part) => (/^\d{1,5}$/.test(part) ? Number(part) : 0));
  return !!first && !!last && first <= last && last <= 65_535 && text.split("-").length <= 2;
}

/** A range in its canonical form. */
function checkRange(entry: string, text: string): string {
  const range = rangeOf(text);
  if (range === undefined) throw new Error(`"${entry}" is no IPv4 range; write it as 10.0.0.0/8 or 10.1.2.3`);
  for (const never of NEVER_REACHED) {
    const { from, to } = rangeOf(never) as Range;
    if (range.from >= from && range.to <= to)
      throw new Error(`"${entry}" lies in ${never}, which no function may reach`);
  }
  return text;
}

interface Range {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

function rangeOf(text: string): Range | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text);
  if (!match) return undefined;
  const parts = match.slice(1, 5).map(Number);
  const bits = Number(match[5] ?? 32);
  const from = parts.reduce((sum, part) => sum * 256 + part, 0);
  const size = 2 ** (32 - bits);
  if (parts.some((part) => part > 255) || bits > 32 || from % size !== 0) return undefined;
  return { from, to: from + size };
}

function isName(text: string): boolean {
  const name = text.replace(/^\*\./, "").replace(/\.$/, "");
  const labels = name.split(".");
  return name.length <= 253 && labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
}
