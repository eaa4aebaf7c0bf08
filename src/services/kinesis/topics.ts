/** What is signalled: that a shard has new records or has been closed, and that something of a stream has changed. */
import type { StreamPlace } from "./store.ts";

export function shardTopic(stream: StreamPlace, shardNo: number): string {
  return `${streamTopic(stream)} ${shardNo}`;
}

/** Of any shard's records, too. */
export function streamTopic({ account, region, name }: StreamPlace): string {
  return `kinesis ${account} ${region} ${name}`;
}
