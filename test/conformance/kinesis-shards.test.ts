/** Shards: listed, split, merged and scaled; what readers see at the end of one; and what one takes and gives in a second. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  SplitShardCommand,
  UpdateShardCountCommand,
  UpdateStreamModeCommand,
} from "@aws-sdk/client-kinesis";
import type { KinesisClient, ListShardsCommandInput, Shard } from "@aws-sdk/client-kinesis";
import {
  LeapingClock,
  ACCOUNT,
  FIRST_SHARD,
  arnOf,
  iteratorOf,
  recordsFrom,
  refusal,
  startKinesis,
} from "../harness/kinesis.ts";
import type { KinesisSetting } from "../harness/kinesis.ts";

const HOUR_MS = 3_600_000;
const KEYS = 2n ** 128n;
const clock = new LeapingClock();
let setting: KinesisSetting;
let client: KinesisClient;
before(async () => {
  setting = await startKinesis({ clock });
  ({ client } = setting);
});
after(async () => setting.stop());

const idOf = (shardNo: number) => `shardId-${String(shardNo).padStart(12, "0")}`;
const list = async (input: ListShardsCommandInput) => client.send(new ListShardsCommand(input));
const numbersOf = (shards: Shard[] | undefined) => shards?.map(({ ShardId }) => Number(ShardId?.slice(-12)));
const split = (StreamName: string, shardNo: number, key: bigint) =>
  client.send(
    new SplitShardCommand({ StreamName, ShardToSplit: idOf(shardNo), NewStartingHashKey: String(key) }),
  );
const merge = (StreamName: string, one: number, other: number) =>
  client.send(
    new MergeShardsCommand({ StreamName, ShardToMerge: idOf(one), AdjacentShardToMerge: idOf(other) }),
  );
const openOf = async (StreamName: string) =>
  (await list({ StreamName, ShardFilter: { Type: "AT_LATEST" } })).Shards ?? [];

test("SplitShard closes a shard and MergeShards two; readers at their end are told the children", async () => {
  const name = await setting.stream();
  await client.send(new PutRecordCommand({ StreamName: name, PartitionKey: "a", Data: Buffer.from("x") }));
  const before = await iteratorOf(client, name, "TRIM_HORIZON");
  await split(name, 0, KEYS / 4n);
  const [parent, low, high] = (await list({ StreamName: name })).Shards ?? [];
  assert.ok(parent?.SequenceNumberRange?.EndingSequenceNumber);
  assert.deepEqual(
    [low, high].map((shard) => [shard?.ParentShardId, shard?.AdjacentParentShardId, shard?.HashKeyRange]),
    [
      [FIRST_SHARD, undefined, { StartingHashKey: "0", EndingHashKey: String(KEYS / 4n - 1n) }],
      [FIRST_SHARD, undefined, { StartingHashKey: String(KEYS / 4n), EndingHashKey: String(KEYS - 1n) }],
    ],
  );
  const { StartingSequenceNumber = "" } = low?.SequenceNumberRange ?? {};
  assert.ok(StartingSequenceNumber > (parent.SequenceNumberRange.EndingSequenceNumber ?? ""));
  const last = await client.send(new GetRecordsCommand({ ShardIterator: before }));
  assert.equal(last.Records?.length, 1);
  assert.equal(last.NextShardIterator, undefined);
  assert.deepEqual(last.ChildShards, [
    { ShardId: idOf(1), ParentShards: [FIRST_SHARD], HashKeyRange: low?.HashKeyRange },
    { ShardId: idOf(2), ParentShards: [FIRST_SHARD], HashKeyRange: high?.HashKeyRange },
  ]);
  const atEnd = await recordsFrom(client, name, "AFTER_SEQUENCE_NUMBER", {
    StartingSequenceNumber: parent.SequenceNumberRange.EndingSequenceNumber,
  });
  assert.deepEqual([atEnd.Records, atEnd.NextShardIterator], [[], undefined]);
  await merge(name, 2, 1);
  const [merged] = await openOf(name);
  assert.deepEqual(
    [merged?.ShardId, merged?.ParentShardId, merged?.AdjacentParentShardId, merged?.HashKeyRange],
    [idOf(3), idOf(2), idOf(1), { StartingHashKey: "0", EndingHashKey: String(KEYS - 1n) }],
  );
  const { ShardId, SequenceNumber = "" } = await client.send(
    new PutRecordCommand({ StreamName: name, PartitionKey: "a", Data: Buffer.from("y") }),
  );
  assert.equal(ShardId, idOf(3));
  assert.ok(SequenceNumber > (merged?.SequenceNumberRange?.StartingSequenceNumber ?? ""));
});

test("SplitShard and MergeShards refuse shards that are closed, not there or not adjacent, and keys outside", async () => {
  const name = await setting.stream({ ShardCount: 3 });
  await split(name, 0, 1_000n);
  assert.equal(
    await refusal(split(name, 9, 5n)),
    `ResourceNotFoundException: Could not find shard ${idOf(9)} in stream ${name} under account ${ACCOUNT}.`,
  );
  assert.match(await refusal(split(name, 0, 5n)), /^ResourceInUseException: .*is not open/);
  for (const key of [0n, 1n, 999n, KEYS])
    assert.match(
      await refusal(split(name, 3, key)),
      /^InvalidArgumentException: NewStartingHashKey .* is not both greater than one plus the shard's StartingHashKey 0 and less than the shard's EndingHashKey 999\./,
    );
  assert.match(await refusal(merge(name, 3, 2)), /^InvalidArgumentException: .*not an adjacent pair/);
  assert.match(await refusal(merge(name, 3, 3)), /^InvalidArgumentException: .*not an adjacent pair/);
  assert.match(await refusal(merge(name, 0, 1)), /^ResourceInUseException/);
});

test("UpdateShardCount scales to shards of one size, to double or half, ten times a day", async () => {
  const name = await setting.stream({ ShardCount: 3 });
  const scale = (TargetShardCount: number) =>
    client.send(
      new UpdateShardCountCommand({ StreamName: name, TargetShardCount, ScalingType: "UNIFORM_SCALING" }),
    );
  const answer = await scale(4);
  assert.deepEqual(
    [answer.CurrentShardCount, answer.TargetShardCount, answer.StreamARN],
    [3, 4, arnOf(name)],
  );
  const ranges = (shards: Shard[]) =>
    shards
      .map(({ HashKeyRange }) => BigInt(HashKeyRange?.StartingHashKey ?? 0))
      .toSorted((a, b) => (a < b ? -1 : 1));
  assert.deepEqual(ranges(await openOf(name)), [0n, KEYS / 4n, KEYS / 2n, (KEYS / 4n) * 3n]);
  assert.equal(
    await refusal(scale(9)),
    "LimitExceededException: UpdateShardCount cannot scale up over double your current open shard count. Current open shard count: 4 Target shard count: 9",
  );
  assert.equal(
    await refusal(scale(1)),
    "LimitExceededException: UpdateShardCount cannot scale down below half your current open shard count. Current open shard count: 4 Target shard count: 1",
  );
  for (const count of [8, 4, 2, 1, 2, 3, 5, 7, 4]) await scale(count);
  assert.equal((await openOf(name)).length, 4);
  assert.match(await refusal(scale(5)), /^LimitExceededException: .*at most 10 times in 24 hours/);
  clock.leap(25 * HOUR_MS);
  await scale(5);
  await client.send(
    new UpdateStreamModeCommand({
      StreamARN: arnOf(name),
      StreamModeDetails: { StreamMode: "ON_DEMAND" },
    }),
  );
  const onDemand = `ValidationException: Request is invalid. Stream ${name} under account ${ACCOUNT} is in On-Demand mode.`;
  assert.equal(await refusal(scale(5)), onDemand);
  assert.equal(await refusal(split(name, 0, 5n)), onDemand);
  assert.equal(await refusal(merge(name, 0, 1)), onDemand);
});

test("ListShards answers pages by tokens, and what its filters ask for", async () => {
  const StreamName = await setting.stream({ ShardCount: 2 });
  const created = clock.now();
  clock.leap(HOUR_MS);
  await split(StreamName, 0, 1_000n);
  clock.leap(HOUR_MS);
  const filtered = async (ShardFilter: ListShardsCommandInput["ShardFilter"]) =>
    numbersOf((await list({ StreamName, ShardFilter })).Shards);
  const at = (ms: number) => ({ Timestamp: new Date(created + ms) });
  assert.deepEqual(await filtered(undefined), [0, 1, 2, 3]);
  assert.deepEqual(await filtered({ Type: "AT_LATEST" }), [1, 2, 3]);
  assert.deepEqual(await filtered({ Type: "AT_TRIM_HORIZON" }), [0, 1]);
  assert.deepEqual(await filtered({ Type: "AT_TIMESTAMP", ...at(60_000) }), [0, 1]);
  assert.deepEqual(await filtered({ Type: "AT_TIMESTAMP", ...at(1.5 * HOUR_MS) }), [1, 2, 3]);
  assert.deepEqual(await filtered({ Type: "FROM_TIMESTAMP", ...at(60_000) }), [0, 1, 2, 3]);
  assert.deepEqual(await filtered({ Type: "FROM_TIMESTAMP", ...at(1.5 * HOUR_MS) }), [1, 2, 3]);
  assert.deepEqual(await filtered({ Type: "AFTER_SHARD_ID", ShardId: idOf(1) }), [2, 3]);
  const first = await list({ StreamARN: arnOf(StreamName), MaxResults: 3 });
  assert.deepEqual(numbersOf(first.Shards), [0, 1, 2]);
  const second = await list({ NextToken: first.NextToken });
  assert.deepEqual([numbersOf(second.Shards), second.NextToken], [[3], undefined]);
  assert.deepEqual(numbersOf((await list({ StreamName, ExclusiveStartShardId: idOf(2) })).Shards), [3]);
  assert.match(await refusal(list({})), /Either NextToken or StreamName should be provided/);
  assert.match(
    await refusal(list({ StreamName, NextToken: first.NextToken })),
    /cannot be provided together/,
  );
  assert.match(await refusal(filtered({ Type: "AT_TIMESTAMP" })), /Timestamp is required/);
  assert.match(await refusal(filtered({ Type: "AT_LATEST", ShardId: idOf(1) })), /ShardId cannot be given/);
  assert.match(
    await refusal(list({ StreamName, StreamCreationTimestamp: new Date(0) })),
    /^ResourceNotFoundException/,
  );
  clock.leap(301_000);
  assert.match(await refusal(list({ NextToken: first.NextToken })), /^ExpiredNextTokenException/);
  clock.leap(24 * HOUR_MS);
  assert.deepEqual(await filtered(undefined), [1, 2, 3]);
  assert.match(
    await refusal(iteratorOf(client, StreamName, "TRIM_HORIZON")),
    /^ResourceNotFoundException: Shard shardId-000000000000 .* does not exist/,
  );
});

const exceeded = (name: string, shardNo = 0) =>
  `Rate exceeded for shard ${idOf(shardNo)} in stream ${name} under account ${ACCOUNT}.`;

test("PutRecords fails, for each shard by itself, what is beyond 1,000 records or 1 MiB a second", async () => {
  const name = await setting.stream({ ShardCount: 2 });
  const put = async (count: number, bytes: number, ExplicitHashKey: bigint) => {
    const record = { PartitionKey: "k", Data: Buffer.alloc(bytes), ExplicitHashKey: String(ExplicitHashKey) };
    const Records = Array.from({ length: count }, () => record);
    return client.send(new PutRecordsCommand({ StreamName: name, Records }));
  };
  clock.leap(1_000);
  const records = await Promise.all([put(500, 1, 0n), put(500, 1, 0n), put(500, 1, 0n)]);
  const failed = records.flatMap(({ Records = [] }) => Records.filter((record) => record.ErrorCode));
  // Less what was made up for while the three were under way.
  assert.ok(failed.length > 100 && failed.length <= 500, String(failed.length));
  assert.deepEqual(failed[0], {
    ErrorCode: "ProvisionedThroughputExceededException",
    ErrorMessage: exceeded(name),
  });
  const other = await put(3, 400_000, KEYS - 1n);
  assert.equal(other.FailedRecordCount, 1);
  assert.deepEqual(
    other.Records?.map((record) => record.ErrorMessage),
    [undefined, undefined, exceeded(name, 1)],
  );
  const single = new PutRecordCommand({
    StreamName: name,
    PartitionKey: "k",
    Data: Buffer.alloc(1_000_000),
    ExplicitHashKey: String(KEYS - 1n),
  });
  assert.equal(
    await refusal(client.send(single)),
    `ProvisionedThroughputExceededException: ${exceeded(name, 1)}`,
  );
  clock.leap(1_000);
  await client.send(single);
});

test("GetRecords and GetShardIterator answer five times a second for a shard", async () => {
  const name = await setting.stream();
  const ask = () =>
    client.send(
      new GetShardIteratorCommand({ StreamName: name, ShardId: FIRST_SHARD, ShardIteratorType: "LATEST" }),
    );
  const six = Array.from({ length: 6 });
  const iterators = await Promise.allSettled(six.map(ask));
  const refused = iterators.filter(({ status }) => status === "rejected");
  assert.equal(refused.length, 1);
  clock.leap(1_000);
  const { ShardIterator } = await ask();
  const reads = await Promise.all(
    six.map(() => refusal(client.send(new GetRecordsCommand({ ShardIterator })))),
  );
  assert.deepEqual(
    reads.filter((text) => text !== "(accepted)"),
    [`ProvisionedThroughputExceededException: ${exceeded(name)}`],
  );
});
