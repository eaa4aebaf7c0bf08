/** Reads streams shard by shard: for the API's GetRecords and, in process, for event source mappings. */
import type { KeySchemaElement, _Record as StreamRecord } from "@aws-sdk/client-dynamodb-streams";
import type { Clock } from "../../../kit/clock.ts";
import type { Database } from "../../../store/database.ts";
import {
  findStream,
  firstSequenceSince,
  lastSequence,
  recordSizes,
  recordsBetween,
  shardsOf,
  streamsAfter,
} from "../store-streams.ts";
import type { RecordRow, ShardRow, StreamRow, ViewType } from "../store-streams.ts";
import { readSequence, readStreamArn, sequenceText, streamArn } from "./names.ts";
import { readRecord } from "./record-json.ts";
import { streamTopic } from "./stream-log.ts";
import type { StreamSignals } from "./stream-log.ts";

/** How long records, closed shards and ended streams can be read, in milliseconds. */
export const RETENTION_MS = 24 * 60 * 60 * 1000;

/** A place in a shard: an end, a time (epoch milliseconds), or after a sequence number. */
export type ShardPosition =
  | { readonly at: "TRIM_HORIZON" }
  | { readonly at: "LATEST" }
  | { readonly at: "AT_TIMESTAMP"; readonly timestampMs: number }
  | { readonly after: string };

export interface DynamoDbRecord {
  readonly sequenceNumber: string;
  /** The same for the same item: records of one key are in order. */
  readonly key: string;
  /** Epoch milliseconds. */
  readonly arrivalMs: number;
  /** As GetRecords has it, but `userIdentity` with Lambda's small letters. */
  readonly json: string;
}

export interface DynamoDbShard {
  readonly shardId: string;
  readonly parents: readonly string[];
  readonly startingSequenceNumber: string;
  readonly endingSequenceNumber?: string;
  readonly closed: boolean;
}

/** What was read: where to go on, and whether the shard is closed and was read to its end. */
export interface ShardRead {
  readonly records: DynamoDbRecord[];
  readonly next: ShardPosition;
  readonly ended: boolean;
  /** How old the last record read is while there are more; 0 at the tip. */
  readonly millisBehindLatest: number;
}

/** What the API tells of a stream. */
export interface StreamFacts {
  readonly arn: string;
  readonly label: string;
  readonly table: string;
  readonly viewType: ViewType;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly isEnabled: boolean;
  readonly keySchema: KeySchemaElement[];
  /** The text of the stream's own policy. */
  readonly policy: string | undefined;
}

export interface ReaderDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly signals: StreamSignals;
}

/** The streams of all tables, those that are gone too, for as long as they can be read. */
export class StreamReader {
  readonly #deps: ReaderDeps;

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
  }

  async describe(arn: string): Promise<{ enabled: boolean; viewType: string } | undefined> {
    const stream = await this.#find(arn);
    return stream && { enabled: stream.endedAt === 0, viewType: stream.viewType };
  }

  /** The text of a stream's own policy; undefined where it has none. */
  async policyOf(arn: string): Promise<string | undefined> {
    return (await this.#find(arn))?.policy?.text;
  }

  /** All shards that are open or may still have records, parents before children. */
  async shards(arn: string): Promise<readonly DynamoDbShard[]> {
    return (await this.#shards(arn)).map((shard) => ({
      shardId: shard.shardId,
      parents: shard.parent === "" ? [] : [shard.parent],
      startingSequenceNumber: sequenceText(shard.starting),
      ...(shard.ending > 0 && { endingSequenceNumber: sequenceText(shard.ending) }),
      closed: shard.ending > 0,
    }));
  }

  /**
   * Records from a position on: as many as the limits allow, but one at least when there is one. A shard that is gone, as
   * shards are 24 hours after their closing, has ended.
   */
  async read(
    arn: string,
    shardId: string,
    from: ShardPosition,
    limits: { readonly records: number; readonly bytes: number },
  ): Promise<ShardRead> {
    const shard = await this.#shard(arn, shardId);
    if (!shard) return { records: [], next: from, ended: true, millisBehindLatest: 0 };
    const horizon = this.#horizon();
    const after = await this.#resolve(shard, from);
    const sizes = await recordSizes(this.#deps.database, shard.id, {
      after,
      horizon,
      limit: limits.records + 1,
    });
    const count = fitting(sizes, limits);
    const to = sizes[count - 1]?.sequence;
    const rows =
      to === undefined ? [] : await recordsBetween(this.#deps.database, shard.id, { after, to, horizon });
    const isAll = count === sizes.length;
    const arrivedAt = rows.at(-1)?.arrivedAt;
    return {
      records: rows.map(recordOf),
      next: { after: sequenceText(to ?? after) },
      ended: isAll && shard.ending > 0,
      millisBehindLatest: isAll || arrivedAt === undefined ? 0 : this.#deps.clock.now() - arrivedAt,
    };
  }

  /**
   * Resolves when the shard may have new records or have been closed (without a shard: when shards may have been added) since the
   * call, or when the signal aborts; does not poll. Take the promise, then read, and await it where nothing was read.
   */
  changed(arn: string, shardId: string | undefined, signal: AbortSignal): Promise<void> {
    return this.#deps.signals.wait(streamTopic(arn, shardId), signal);
  }

  /** What the API tells of a stream. */
  async facts(arn: string): Promise<StreamFacts | undefined> {
    const stream = await this.#find(arn);
    return stream && factsOf(stream);
  }

  /** Streams of an account after the one with an ARN, in order; of one table when it is named. */
  async list(
    place: { readonly account: string; readonly region: string },
    range: { readonly table: string | undefined; readonly after: string | undefined; readonly limit: number },
  ): Promise<StreamFacts[]> {
    const after = (range.after === undefined ? undefined : readStreamArn(range.after)) ?? NO_STREAM;
    const { table, limit } = range;
    const wanted = { table, limit, horizon: this.#horizon() };
    return (await streamsAfter(this.#deps.database, place, after, wanted)).map(factsOf);
  }

  /** Where a shard can be read from: the number after which its records have not been removed; undefined without the shard. */
  async trimmedTo(arn: string, shardId: string): Promise<string | undefined> {
    const shard = await this.#shard(arn, shardId);
    return shard && sequenceText(shard.trimmed);
  }

  /** A record as the API has it, of its JSON. */
  parse(json: string): StreamRecord {
    return readRecord(json);
  }

  async #find(arn: string): Promise<StreamRow | undefined> {
    const name = readStreamArn(arn);
    const stream = name && (await findStream(this.#deps.database, name));
    return stream && this.#isReadable(stream) ? stream : undefined;
  }

  #isReadable({ endedAt }: StreamRow): boolean {
    return endedAt === 0 || endedAt > this.#horizon();
  }

  async #shard(arn: string, shardId: string): Promise<ShardRow | undefined> {
    return (await this.#shards(arn)).find((shard) => shard.shardId === shardId);
  }

  /** The number that a position is after. */
  async #resolve(shard: ShardRow, from: ShardPosition): Promise<number> {
    if ("after" in from) return readSequence(from.after) ?? 0;
    if (from.at === "TRIM_HORIZON") return Math.max(shard.starting - 1, shard.trimmed);
    const last =
      (await lastSequence(this.#deps.database, shard.id)) ?? Math.max(shard.starting - 1, shard.trimmed);
    if (from.at !== "AT_TIMESTAMP") return last;
    const first = await firstSequenceSince(this.#deps.database, shard.id, from.timestampMs);
    return first === undefined ? last : first - 1;
  }

  async #shards(arn: string): Promise<ShardRow[]> {
    const stream = await this.#find(arn);
    if (!stream) return [];
    const horizon = this.#horizon();
    const shards = await shardsOf(this.#deps.database, stream.id);
    return shards.filter(({ ending, closedAt }) => ending === 0 || closedAt > horizon);
  }

  /** What arrived at this time or before can no longer be read. */
  #horizon(): number {
    return this.#deps.clock.now() - RETENTION_MS;
  }
}

/** How many of the records one answer holds. */
function fitting(
  sizes: readonly { readonly bytes: number }[],
  limits: { readonly records: number; readonly bytes: number },
): number {
  let bytes = 0;
  let count = 0;
  for (const size of sizes) {
    bytes += size.bytes;
    if (count === limits.records || (count > 0 && bytes > limits.bytes)) break;
    count += 1;
  }
  return count;
}

const NO_STREAM = { table: "", label: "" };

function factsOf(stream: StreamRow): StreamFacts {
  const { label, table, viewType, createdAt, endedAt, keySchema } = stream;
  return {
    arn: streamArn(stream),
    label,
    table,
    viewType,
    createdAt,
    isEnabled: endedAt === 0,
    policy: stream.policy?.text,
    keySchema: JSON.parse(keySchema) as StreamFacts["keySchema"],
  };
}

function recordOf({ sequence, arrivedAt, itemKey, record }: RecordRow): DynamoDbRecord {
  return { sequenceNumber: sequenceText(sequence), key: itemKey, arrivalMs: arrivedAt, json: record };
}
