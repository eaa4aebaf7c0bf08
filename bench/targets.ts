/**
 * What each axis must reach and aims at, as ratios: how many times less (time, CPU, memory) or more (rate) ours is than the peer.
 * At least that much is wanted, so "at most 1.3 times a bare exec" stands as 1 / 1.3.
 */

export interface Target {
  readonly axis: number;
  /** The peer, and what is compared where an axis compares several things. */
  readonly peer: string;
  readonly must: number | null;
  readonly moonshot: number | null;
}

export const TARGETS = [
  { axis: 1, peer: "serverless-offline", must: 8, moonshot: 15 },
  { axis: 1, peer: "serverless-offline --useInProcess", must: 1.8, moonshot: 3.5 },
  { axis: 1, peer: "workerd", must: null, moonshot: 1.3 },
  { axis: 1, peer: "lambda-local", must: null, moonshot: null },
  { axis: 2, peer: "serverless-offline, p50", must: 3, moonshot: 6 },
  { axis: 2, peer: "serverless-offline --useInProcess, p50", must: 1, moonshot: 2 },
  { axis: 2, peer: "workerd, p50", must: null, moonshot: 1 / 0.6 },
  { axis: 2, peer: "lambda-local, p50", must: null, moonshot: null },
  { axis: 2, peer: "serverless-offline, p99", must: null, moonshot: 1 / 0.6 },
  { axis: 2, peer: "serverless-offline by the AWS SDK, p50", must: null, moonshot: null },
  { axis: 3, peer: "Runtime API on node:http", must: 2.5, moonshot: 4 },
  { axis: 4, peer: "node exec", must: 6, moonshot: 12 },
  { axis: 4, peer: "serverless-offline, first call", must: null, moonshot: 20 },
  { axis: 4, peer: "python3 exec with json, asyncio, http, urllib", must: null, moonshot: 15 },
  { axis: 4, peer: "java exec", must: null, moonshot: 10 },
  { axis: 5, peer: "node exec", must: 1 / 1.3, moonshot: 1 / 1.08 },
  { axis: 5, peer: "crun run true, the sandbox's part", must: null, moonshot: 5 },
  { axis: 6, peer: "100 node execs, starts per second", must: 2, moonshot: null },
  { axis: 6, peer: "100 node execs, last answer", must: null, moonshot: 8 },
  { axis: 6, peer: "python3 execs with imports, sustained", must: null, moonshot: 10 },
  { axis: 7, peer: "node process", must: 1 / 1.2, moonshot: null },
  { axis: 7, peer: "python3 process", must: null, moonshot: 4 },
  { axis: 7, peer: "Firecracker's 5 MiB, what the platform adds", must: null, moonshot: 10 },
  { axis: 8, peer: "PostgreSQL inserts, 16 clients", must: 1.5, moonshot: null },
  { axis: 8, peer: "PostgreSQL inserts, 48 clients", must: 1.5, moonshot: 2.5 },
  { axis: 8, peer: "PostgreSQL inserts in text, 16 clients", must: null, moonshot: null },
  { axis: 8, peer: "PostgreSQL inserts in text, 48 clients", must: null, moonshot: null },
  { axis: 8, peer: "PostgreSQL inserts, 48 clients, while events run", must: null, moonshot: null },
  { axis: 8, peer: "Redis appendfsync always, 48 clients", must: null, moonshot: 0.7 },
  { axis: 8, peer: "fdatasync, p99", must: null, moonshot: 1 / 4 },
  { axis: 9, peer: "fauxqs, SendMessage", must: 2, moonshot: 4 },
  { axis: 9, peer: "fauxqs, a message of SendMessageBatch", must: 2, moonshot: 2.2 },
  { axis: 9, peer: "fauxqs, messages sent, received and deleted a second", must: null, moonshot: 3 },
  { axis: 9, peer: "moto, SendMessage", must: null, moonshot: 100 },
  { axis: 9, peer: "moto, a message of SendMessageBatch", must: null, moonshot: null },
  { axis: 9, peer: "moto, messages sent, received and deleted a second", must: null, moonshot: null },
  { axis: 10, peer: "hand-made pipeline, drain", must: 8, moonshot: 20 },
  { axis: 10, peer: "hand-made pipeline, p50", must: 2, moonshot: 5 },
  { axis: 11, peer: "dynalite, PutItem", must: 2, moonshot: 5 },
  { axis: 11, peer: "dynalite, GetItem", must: 2, moonshot: 4 },
  { axis: 11, peer: "kinesalite, PutRecords of 100, each record", must: 2, moonshot: 25 },
  { axis: 11, peer: "s3rver, PutObject of 4 KiB", must: 2, moonshot: 15 },
  { axis: 11, peer: "s3rver, GetObject of 4 KiB", must: 2, moonshot: 12 },
  { axis: 11, peer: "fauxqs, PutObject of 4 KiB", must: 2, moonshot: 2.5 },
  { axis: 11, peer: "fauxqs, GetObject of 4 KiB", must: 2, moonshot: 2.5 },
  { axis: 12, peer: "umoci unpack && runc run", must: 2, moonshot: 4 },
  { axis: 12, peer: "umoci unpack && runc run, lower layers shared", must: null, moonshot: 30 },
  { axis: 13, peer: "fauxqs, Publish to a queue", must: null, moonshot: null },
  { axis: 13, peer: "fauxqs, from Publish to the receiver, p50", must: null, moonshot: null },
  { axis: 13, peer: "moto, Publish to a queue", must: null, moonshot: null },
  { axis: 13, peer: "moto, from Publish to the receiver, p50", must: null, moonshot: null },
  { axis: 13, peer: "moto, an event of PutEvents, 1 rule", must: null, moonshot: null },
  { axis: 13, peer: "moto, an event of PutEvents, 100 rules", must: null, moonshot: null },
  { axis: 13, peer: "moto, from PutEvents to the receiver, p50", must: null, moonshot: null },
] as const satisfies readonly Target[];

export type Peer = (typeof TARGETS)[number]["peer"];

/** @throws Error where the table has no such line: what is reported has a target, if only that there is none. */
export function targetOf(axis: number, peer: Peer): Target {
  const found = TARGETS.find((target) => target.axis === axis && target.peer === peer);
  if (!found) throw new Error(`no target for axis ${axis}, ${peer}`);
  return found;
}
