/** Which pool's pages a request is for: by the name of its host, or by the pool's path on the server's own host. */
import type { IncomingHttpHeaders } from "node:http";
import type { Reader } from "../../../store/database.ts";
import { domainOfPool, poolOfDomain } from "../store/oauth.ts";
import { getPool } from "../store/pools.ts";
import type { Pool } from "../store/pools.ts";
import { domainOf } from "./host.ts";

/** A region and an id: no bucket has such a name, and none that is refused should look like it. */
const POOL_PATH = /^\/([a-z]{2,}(?:-[a-z]+)+-\d+_[0-9a-zA-Z]+)(\/(?!\.well-known\/)[^?#]*)/;

export interface Place {
  /** `/us-east-1_AbCdEfGhI`, or nothing on a host of the domain. */
  readonly base: string;
  /** Below that. */
  readonly path: string;
  /** @returns What there is instead where there is no pool. */
  readonly pool: (reader: Reader) => Promise<Pool | string>;
}

/** Undefined for a request that is for no such page. */
export function placeOf(url: string, headers: IncomingHttpHeaders): Place | undefined {
  const { host, ":authority": authority } = headers as Record<string, string | undefined>;
  const named = domainOf(host ?? authority);
  if (named)
    return { base: "", path: url.split("?", 1)[0] ?? "/", pool: (reader) => byDomain(reader, named) };
  const [, poolId, path] = POOL_PATH.exec(url) ?? [];
  if (poolId === undefined || path === undefined) return undefined;
  return { base: `/${poolId}`, path, pool: (reader) => byId(reader, poolId) };
}

/** Whether a request is for a page of a pool. */
export function isHostedPage(url: string, headers: IncomingHttpHeaders): boolean {
  return placeOf(url, headers) !== undefined;
}

async function byDomain(
  reader: Reader,
  { domain, region }: { readonly domain: string; readonly region: string },
): Promise<Pool | string> {
  const poolId = await poolOfDomain(reader, domain, region);
  const pool = poolId === undefined ? undefined : await getPool(reader, poolId);
  return pool ?? `No user pool has the domain ${domain} in ${region}.`;
}

/** Pages belong to domains, also where they are reached without one's name. */
async function byId(reader: Reader, poolId: string): Promise<Pool | string> {
  const pool = await getPool(reader, poolId);
  if (!pool) return `User pool ${poolId} does not exist.`;
  if ((await domainOfPool(reader, poolId)) === undefined)
    return `User pool ${poolId} has no domain: CreateUserPoolDomain gives it one.`;
  return pool;
}
