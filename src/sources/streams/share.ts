/** How the shards of a stream are shared out over servers. */
import { crc32 } from "node:zlib";

/**
 * How many of a mapping's shards one server reads: as many as any other, but for one. Who has one more differs by mapping, so that streams
 * of one shard do not all fall to the same server.
 * @param servers All that share the work, in an order that is the same on each of them.
 */
export function shareOf(shards: number, servers: readonly string[], own: string, mapping: string): number {
  const count = servers.length;
  const place = servers.indexOf(own);
  // Of whom nothing was heard in time, that takes what is left over.
  if (place === -1 || count === 1) return shards;
  const turn = (place + count - (crc32(mapping) % count)) % count;
  return Math.floor(shards / count) + (turn < shards % count ? 1 : 0);
}
