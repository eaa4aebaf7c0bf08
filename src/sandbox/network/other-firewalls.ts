/**
 * Other firewalls of this machine that drop what they do not know when it is forwarded (Docker's, firewalld's, the administrator's own). The
 * kernel asks every table, and the drop of one is final: functions would wait for the outside until they time out.
 */
import { tryProgram } from "../run-program.ts";
import { INTERFACE_PREFIX } from "./firewall.ts";

/** One sentence for each chain that drops by default, with what to do. */
export async function forwardingObstacles(): Promise<string[]> {
  const { stdout } = await tryProgram("nft", ["list", "chains"]);
  return droppingChains(stdout).map(obstacle);
}

/** The chains of a listing of `nft list chains` that drop forwarded IPv4 packets by default: `ip filter FORWARD`. */
export function droppingChains(listing: string): string[] {
  const chains: string[] = [];
  let table = "";
  let chain = "";
  for (const line of listing.split("\n")) {
    table = /^table (\S+ \S+) \{/.exec(line)?.[1] ?? table;
    chain = /^\s+chain (\S+) \{/.exec(line)?.[1] ?? chain;
    const drops = /hook forward\b.*policy drop;/.test(line);
    if (drops && /^(ip|inet) /.test(table) && !table.startsWith("ip lambent-"))
      chains.push(`${table} ${chain}`);
  }
  return chains;
}

function obstacle(chain: string): string {
  const way =
    chain === "ip filter FORWARD"
      ? `iptables -I FORWARD -i ${INTERFACE_PREFIX}+ -j ACCEPT; iptables -I FORWARD -o ${INTERFACE_PREFIX}+ -j ACCEPT`
      : `nft insert rule ${chain} iifname '"${INTERFACE_PREFIX}*"' accept; nft insert rule ${chain} oifname '"${INTERFACE_PREFIX}*"' accept`;
  return `The chain ${chain} of another firewall drops what functions send outside, unless a rule of it accepts that. To let it pass (Lambent's own rules still hold): ${way}`;
}
