/** Which name servers a sandbox asks: the host's, or ours where names are listed as destinations, or none. */
import type { Outbound } from "../../config/outbound.ts";
import type { Log } from "../../telemetry/log.ts";
import { GATEWAY } from "./firewall.ts";
import { NameServer } from "./name-server.ts";
import { hostResolvers, resolvConf } from "./resolvers.ts";
import { groupDestinations } from "./slot-rules.ts";

export interface Resolver {
  /** Content of /etc/resolv.conf. */
  readonly resolvConf: string;
  /** Asked directly. */
  readonly direct: readonly string[];
  /** Where questions to the gateway go. */
  readonly atGateway: { readonly address: string; readonly port: number } | undefined;
  /** A sandbox begins to use this address; its rules stand in this namespace. */
  attach(address: string, namespace: string): void;
  detach(address: string): void;
  close(): void;
}

/** @param given Name servers to ask instead of the host's. */
export async function openResolver(
  outbound: Outbound,
  given: readonly string[],
  log: Log,
): Promise<Resolver> {
  const groups = groupDestinations(outbound.allow).filter(({ names }) => names.length > 0);
  // Without names there is nothing to resolve, and a question to a name server is a way out.
  if (outbound.policy !== "internet" && groups.length === 0) return fixed([]);
  const servers = given.length > 0 ? given : await hostResolvers();
  if (groups.length === 0) return fixed(servers);
  const refuseOthers = outbound.policy === "allow-list";
  const own = await NameServer.open({ upstreams: servers, groups, refuseOthers, log });
  return {
    resolvConf: resolvConf([GATEWAY]),
    direct: [],
    atGateway: { address: "127.0.0.1", port: own.port },
    attach: (address, namespace) => own.attach(address, namespace),
    detach: (address) => own.detach(address),
    close: () => own.close(),
  };
}

/** Those on the host's loopback are reached through the gateway, others directly. */
function fixed(servers: readonly string[]): Resolver {
  const local = servers.find(isLocal);
  return {
    resolvConf: resolvConf(servers.map((address) => (isLocal(address) ? GATEWAY : address))),
    direct: servers.filter((address) => !isLocal(address)),
    atGateway: local === undefined ? undefined : { address: local, port: 53 },
    attach: () => {},
    detach: () => {},
    close: () => {},
  };
}

function isLocal(address: string): boolean {
  return address.startsWith("127.");
}
