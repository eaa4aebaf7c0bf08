/** Puts records into the shards that they belong to, as far as these take them. */
import { AwsError } from "../../../aws/errors.ts";
import type { Kinesis } from "../deps.ts";
import { invalidArgument, noSuchStream } from "../errors.ts";
import { KIB } from "../limits.ts";
import { hashOfKey, readHashKey } from "../shards/hash-key.ts";
import { sequenceNumbers } from "../shards/sequence-number.ts";
import { shardIdOf } from "../shards/shard.ts";
import type { Shard } from "../shards/shard.ts";
import type { Stream } from "../streams.ts";
import { recordBytes, toChunks } from "./chunk.ts";
import type { NewRecord } from "./chunk.ts";

/** A record of a request, checked by the model alone. */
export interface Entry {
  readonly PartitionKey?: string | undefined;
  readonly ExplicitHashKey?: string | undefined;
  readonly Data?: Uint8Array | undefined;
}

export interface ReadyRecord extends NewRecord {
  /** Where it belongs; undefined where the stream distributes its records. */
  readonly hashKey: string | undefined;
  readonly bytes: number;
}

/** Where a record has come to lie, or, without a number, that its shard would not take it. */
export interface PutResult {
  readonly shardId: string;
  readonly sequenceNumber?: string;
}

const NOTHING = new Uint8Array();

/** @param member How the request names the record: `records.3.member.`. @throws AwsError for a record that the stream does not take */
export function readyRecord(stream: Stream, entry: Entry, member: string): ReadyRecord {
  const { PartitionKey: partitionKey, ExplicitHashKey, Data: data = NOTHING } = entry;
  const bytes = recordBytes({ partitionKey, data });
  if (bytes > stream.record_kib_max * KIB)
    throw invalidArgument(
      `The record at ${member === "" ? "the request" : member.slice(0, -1)} has ${bytes} bytes with its partition key, and the stream ${stream.name} takes at most ` +
        `${stream.record_kib_max * KIB}; UpdateMaxRecordSize changes that.`,
    );
  if (stream.distribution === "AUTO") return { partitionKey, data, bytes, hashKey: undefined };
  if (partitionKey === undefined)
    throw new AwsError(
      "ValidationException",
      `1 validation error detected: Value null at '${member}partitionKey' failed to satisfy constraint: Member must not be null`,
    );
  // Where there is but one shard, every key belongs to it.
  const hashKey =
    ExplicitHashKey === undefined
      ? stream.open.length === 1
        ? ""
        : hashOfKey(partitionKey)
      : readHashKey(ExplicitHashKey);
  if (hashKey === undefined)
    throw invalidArgument(
      `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${ExplicitHashKey}`,
    );
  return { partitionKey, data, bytes, hashKey };
}

/** Resolves once the records that are taken are durable, with a result for each. @throws AwsError where the stream is gone */
export async function putRecords(
  kinesis: Kinesis,
  found: Stream,
  records: readonly ReadyRecord[],
  operation: "PutRecord" | "PutRecords",
): Promise<PutResult[]> {
  const since = performance.now();
  const results = await place(kinesis, found, records);
  const tookMs = performance.now() - since;
  kinesis.streamMetrics.put(found, operation, { records, results, tookMs });
  return results;
}

async function place(kinesis: Kinesis, found: Stream, records: readonly ReadyRecord[]): Promise<PutResult[]> {
  const results = Array.from<PutResult>({ length: records.length });
  let stream = found;
  let groups = group(kinesis, stream, records, results);
  while (groups.size > 0) {
    const rest = await append(kinesis, stream, groups, records, results);
    if (rest.length === 0) break;
    // Their shards have been closed meanwhile, perhaps by another server: they go to the children.
    kinesis.streams.forget(stream);
    const now = await kinesis.streams.find(stream);
    // Another of the same name may have taken its place.
    if (now?.status !== "ACTIVE") throw noSuchStream(stream);
    stream = now;
    groups = regroup(kinesis, stream, records, rest);
  }
  return results;
}

/** The places in the request of the records that go into each shard. */
type Groups = Map<Shard, number[]>;

/** Only what the shards take; that the others are refused is in the results then. */
function group(
  { shardLimits, scaling, clock, ids }: Kinesis,
  stream: Stream,
  records: readonly ReadyRecord[],
  results: PutResult[],
): Groups {
  const groups: Groups = new Map();
  const now = clock.now();
  for (const [at, record] of records.entries()) {
    const shard = shardFor(stream, record, ids);
    const { shardNo } = shard;
    if (shardLimits.takesRecord(stream.stream_id, shardNo, record.bytes, now)) addTo(groups, shard, at);
    else {
      results[at] = { shardId: shardIdOf(shardNo) };
      scaling.exceeded(stream, shardNo);
    }
  }
  return groups;
}

function regroup(
  { ids }: Kinesis,
  stream: Stream,
  records: readonly ReadyRecord[],
  places: readonly number[],
): Groups {
  const groups: Groups = new Map();
  for (const at of places) {
    const record = records[at] as ReadyRecord;
    const hashKey = record.hashKey === "" ? hashOfKey(record.partitionKey ?? "") : record.hashKey;
    addTo(groups, shardFor(stream, { hashKey }, ids), at);
  }
  return groups;
}

function addTo(groups: Groups, shard: Shard, at: number): void {
  const places = groups.get(shard);
  if (places) places.push(at);
  else groups.set(shard, [at]);
}

/** The open shard that a record belongs to; any of them where the stream distributes its records. */
export function shardFor(
  { open }: Stream,
  { hashKey }: Pick<ReadyRecord, "hashKey">,
  ids: Kinesis["ids"],
): Shard {
  const shard =
    hashKey === undefined
      ? open[Math.floor(ids.random() * open.length)]
      : hashKey === ""
        ? open[0]
        : open[lastAtOrBefore(open, hashKey)];
  if (!shard) throw new Error("A stream has no open shard");
  return shard;
}

/** Of ranges in order that leave no gap: which one has the key. */
function lastAtOrBefore(open: readonly Shard[], hashKey: string): number {
  let [low, high] = [0, open.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((open[middle]?.startHash ?? "") <= hashKey) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Answers the places of those whose shard takes no records any more. */
async function append(
  { appends }: Kinesis,
  stream: Stream,
  groups: Groups,
  records: readonly ReadyRecord[],
  results: PutResult[],
): Promise<number[]> {
  const parts = [...groups].flatMap(([shard, places]) => {
    let from = 0;
    const chunks = toChunks(
      shard.shardNo,
      places.length === records.length ? records : places.map((at) => records[at] as ReadyRecord),
    );
    return chunks.map((chunk) => ({ shard, chunk, places: places.slice(from, (from += chunk.count)) }));
  });
  const placed = await appends.append(
    stream,
    parts.map(({ chunk }) => chunk),
  );
  const rest: number[] = [];
  for (const [part, { shard, chunk, places }] of parts.entries()) {
    const place = placed[part];
    if (!place) {
      rest.push(...places);
      continue;
    }
    const first = place.lastIndex - chunk.count + 1;
    const shardId = shardIdOf(shard.shardNo);
    const numbers = sequenceNumbers(shard, first, chunk.count, Math.floor(place.arrivedAt / 1_000));
    for (const [at, sequenceNumber] of numbers.entries())
      results[places[at] as number] = { shardId, sequenceNumber };
  }
  return rest;
}
