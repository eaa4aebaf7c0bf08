/** Functions of IP addresses. Pure. */
import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { plainText } from "../values.ts";
import { textual } from "./scalar.ts";
import type { Functions, ScalarFunction } from "./scalar.ts";

/** RFC 1918. */
const PRIVATE = blocks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16");
/** IANA's special-purpose registries, without those above. */
const RESERVED = blocks(
  "0.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/128",
  "::1/128",
  "100::/64",
  "2001:db8::/32",
  "fc00::/7",
  "fe80::/10",
  "ff00::/8",
);

const address = (test: (text: string) => boolean): ScalarFunction => textual((text) => Number(test(text)));
const inSubnet = (accepts: (address: string) => boolean): ScalarFunction => ({
  arguments: [2, 2],
  apply: ([value, subnet]) => {
    const [text, range] = [plainText(value), plainText(subnet)];
    return text === undefined || range === undefined ? undefined : Number(accepts(text) && isIn(text, range));
  },
});

export const ADDRESSES: Functions = {
  isvalidip: address((text) => isIP(text) !== 0),
  isvalidipv4: address(isIPv4),
  isvalidipv6: address(isIPv6),
  isipinsubnet: inSubnet((text) => isIP(text) !== 0),
  isipv4insubnet: inSubnet(isIPv4),
  isipv6insubnet: inSubnet(isIPv6),
  ipv4tonumber: textual((text) =>
    isIPv4(text) ? text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0) : undefined,
  ),
  isprivateip: address((text) => holds(PRIVATE, text)),
  isreservedip: address((text) => holds(RESERVED, text)),
  ispublicip: address((text) => isIP(text) !== 0 && !holds(PRIVATE, text) && !holds(RESERVED, text)),
};

function blocks(...ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) add(list, range);
  return list;
}

function add(list: BlockList, range: string): void {
  const [network = "", bits] = range.split("/");
  const family = isIPv4(network) ? "ipv4" : "ipv6";
  list.addSubnet(network, Number(bits ?? (family === "ipv4" ? 32 : 128)), family);
}

function holds(list: BlockList, text: string): boolean {
  return isIP(text) !== 0 && list.check(text, isIPv4(text) ? "ipv4" : "ipv6");
}

/** A range that is none holds nothing. */
function isIn(text: string, range: string): boolean {
  if (isIPv4(text) !== isIPv4(range.split("/")[0] ?? "")) return false;
  try {
    return holds(blocks(range), text);
  } catch {
    return false;
  }
}
