/** CIDR comparison for the IpAddress operators, IPv4 and IPv6. */
import { BlockList, isIP } from "node:net";

/** Whether an address lies in a network (`10.0.0.0/8`, `2001:db8::/32`) or is the address written there. */
export function networkContains(network: string, address: string): boolean {
  const family = isIP(address);
  const [base = "", bits, ...rest] = network.split("/");
  const baseFamily = isIP(base);
  if (family === 0 || baseFamily === 0 || rest.length > 0) return false;
  const prefix = bits === undefined ? (baseFamily === 6 ? 128 : 32) : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > (baseFamily === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(base, prefix, baseFamily === 6 ? "ipv6" : "ipv4");
  return list.check(address, family === 6 ? "ipv6" : "ipv4");
}
