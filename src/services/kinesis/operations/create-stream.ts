/** CreateStream and DeleteStream. A stream is ACTIVE when its creation is answered. */
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Client, Kinesis } from "../deps.ts";
import { requireActive } from "../change.ts";
import { invalidArgument, limitExceeded, noSuchStream, resourceInUse, tooManyShards } from "../errors.ts";
import {
  ON_DEMAND_SHARDS_FIRST,
  ON_DEMAND_STREAMS_MAX,
  RECORD_KIB_DEFAULT,
  RETENTION_HOURS_MIN,
  SHARDS_MAX,
} from "../limits.ts";
import { streamNamed } from "../lookup.ts";
import { deleteSomeChunks } from "../records/store-chunks.ts";
import { newRowId } from "../row-id.ts";
import { uniformRanges } from "../shards/hash-key.ts";
import { newShard } from "../shards/resharding.ts";
import { readStream } from "../streams.ts";
import { countConsumers, deleteConsumers } from "../store-consumers.ts";
import {
  countOpen,
  deleteParts,
  deleteStreamRow,
  findStream,
  insertStream,
  saveShard,
  updateStream,
} from "../store.ts";
import type { StreamPlace, StreamRow } from "../store.ts";
import { withTags } from "../tags.ts";
import { shardTopic, streamTopic } from "../topics.ts";

export async function createStream(
  kinesis: Kinesis,
  input: Input<Client, "CreateStream">,
  { account, region }: RequestContext,
): Promise<object> {
  const { clock, ids, database, streams } = kinesis;
  if (input.WarmThroughputMiBps !== undefined)
    throw notImplemented("WarmThroughputMiBps, which needs the commitment of On-demand Advantage");
  const place = { account, region, name: input.StreamName ?? "" };
  const mode = input.StreamModeDetails?.StreamMode ?? "PROVISIONED";
  const count = shardCount(input, mode);
  const distribution = input.RecordDistributionStrategy ?? "USER_PARTITION_KEY";
  if (distribution === "AUTO" && mode === "PROVISIONED")
    throw invalidArgument("The record distribution strategy AUTO is only supported for on-demand streams.");
  const now = clock.now();
  const row: StreamRow = {
    ...place,
    stream_id: newRowId(ids),
    status: "ACTIVE",
    mode,
    distribution,
    retention_hours: RETENTION_HOURS_MIN,
    trimmed_before: 0,
    record_kib_max: input.MaxRecordSizeInKiB ?? RECORD_KIB_DEFAULT,
    policy: null,
    tags: JSON.stringify(withTags({}, input.Tags)),
    created_at: now,
    next_shard: count,
    shard_metrics: "[]",
  };
  const shards = uniformRanges(count).map((range, shardNo) => newShard(shardNo, range, [], now));
  await database.tx(async (tx) => {
    if (await findStream(tx, place))
      throw resourceInUse(`Stream ${place.name} under account ${account} already exists.`);
    await requireRoom(tx, place, mode, count);
    streams.forgetAfter(tx, place);
    await insertStream(tx, row);
    for (const shard of shards) await saveShard(tx, row.stream_id, shard);
  });
  return {};
}

/** @throws AwsError for a count that does not go with the mode */
function shardCount({ ShardCount }: { ShardCount?: number | undefined }, mode: StreamRow["mode"]): number {
  if (mode === "ON_DEMAND") {
    if (ShardCount !== undefined)
      throw new AwsError("ValidationException", "ShardCount cannot be given for a stream in On-Demand mode.");
    return ON_DEMAND_SHARDS_FIRST;
  }
  if (ShardCount === undefined)
    throw new AwsError("ValidationException", "ShardCount is required for a stream in Provisioned mode.");
  if (ShardCount > SHARDS_MAX)
    throw limitExceeded(
      `ShardCount ${ShardCount} is beyond the limit of ${SHARDS_MAX} shards for an account.`,
    );
  return ShardCount;
}

/** @throws AwsError LimitExceededException */
export async function requireRoom(
  tx: Transaction,
  place: Omit<StreamPlace, "name">,
  mode: StreamRow["mode"],
  added: number,
): Promise<void> {
  const { streams, shards } = await countOpen(tx, place, mode);
  if (mode === "PROVISIONED" && shards + added > SHARDS_MAX)
    throw tooManyShards(place, shards, SHARDS_MAX, added);
  if (mode === "ON_DEMAND" && streams >= ON_DEMAND_STREAMS_MAX)
    throw limitExceeded(
      `The account ${place.account} in ${place.region} has ${streams} streams in On-Demand mode already; the limit is ${ON_DEMAND_STREAMS_MAX}.`,
    );
}

/** Records that are deleted together with their stream; those of a larger one follow in the background. */
const CHUNKS_AT_ONCE = 200;

export async function deleteStream(
  kinesis: Kinesis,
  input: Input<Client, "DeleteStream">,
  context: RequestContext,
): Promise<object> {
  const { database, streams, signals } = kinesis;
  const found = await streamNamed(kinesis, input, context);
  const isGone = await database.tx(async (tx) => {
    streams.forgetAfter(tx, found);
    const stream = await readStream(tx, found);
    if (!stream) throw noSuchStream(found);
    requireActive(stream);
    const { stream_id } = stream;
    if (input.EnforceConsumerDeletion !== true && (await countConsumers(tx, stream_id)) > 0)
      throw resourceInUse(
        `Stream ${stream.name} under account ${stream.account} has registered consumers; deregister them, or set EnforceConsumerDeletion.`,
      );
    await deleteConsumers(tx, stream_id);
    await deleteParts(tx, stream_id);
    // Who waits for records learns that there will be none.
    for (const { shardNo } of stream.open) await signals.send(tx, shardTopic(stream, shardNo));
    await signals.send(tx, streamTopic(stream));
    if ((await deleteSomeChunks(tx, stream_id, CHUNKS_AT_ONCE)) < CHUNKS_AT_ONCE) {
      await deleteStreamRow(tx, stream_id);
      return true;
    }
    await updateStream(tx, { ...stream, status: "DELETING" });
    return false;
  });
  if (!isGone) kinesis.housekeeping.sweepSoon();
  return {};
}
