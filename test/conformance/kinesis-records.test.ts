/** Records: where they are put, in which order they are read, and from which place on. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  SplitShardCommand,
  UpdateMaxRecordSizeCommand,
} from "@aws-sdk/client-kinesis";
import type { KinesisClient } from "@aws-sdk/client-kinesis";
import {
  ACCOUNT,
  FIRST_SHARD,
  LeapingClock,
  arnOf,
  iteratorOf,
  recordsFrom,
  refusal,
  startKinesis,
  text,
} from "../harness/kinesis.ts";
import type { KinesisSetting } from "../harness/kinesis.ts";

const clock = new LeapingClock();
let setting: KinesisSetting;
let client: KinesisClient;
before(async () => {
  setting = await startKinesis({ clock });
  ({ client } = setting);
});
after(async () => setting.stop());

const put = (StreamName: string, PartitionKey: string, data: string, more = {}) =>
  client.send(new PutRecordCommand({ StreamName, PartitionKey, Data: Buffer.from(data), ...more }));
const read = (ShardIterator: string, more = {}) =>
  client.send(new GetRecordsCommand({ ShardIterator, ...more }));

test("PutRecord's records are read by GetRecords in the order they came", async () => {
  const name = await setting.stream();
  const numbers: string[] = [];
  for (const data of ["one", "two", "three"]) {
    const { SequenceNumber = "", ShardId } = await put(name, "key", data);
    assert.equal(ShardId, FIRST_SHARD);
    assert.match(SequenceNumber, /^\d{56}$/);
    numbers.push(SequenceNumber);
  }
  assert.deepEqual(numbers, numbers.toSorted());
  const answer = await recordsFrom(client, name, "TRIM_HORIZON");
  assert.deepEqual(
    answer.Records?.map((record) => [text(record.Data), record.PartitionKey, record.SequenceNumber]),
    [
      ["one", "key", numbers[0]],
      ["two", "key", numbers[1]],
      ["three", "key", numbers[2]],
    ],
  );
  const arrival = answer.Records?.[0]?.ApproximateArrivalTimestamp?.getTime() ?? 0;
  assert.ok(Math.abs(arrival - clock.now()) < 60_000);
  assert.equal(answer.MillisBehindLatest, 0);
  assert.equal(answer.ChildShards, undefined);
  await put(name, "key", "four");
  const next = await read(answer.NextShardIterator ?? "");
  assert.deepEqual(
    next.Records?.map((record) => text(record.Data)),
    ["four"],
  );
});

test("PutRecords spreads records over the shards by the MD5 of their keys, or where their hash keys say", async () => {
  const name = await setting.stream({ ShardCount: 4 });
  const MAX = String(2n ** 128n - 1n);
  const answer = await client.send(
    new PutRecordsCommand({
      StreamARN: arnOf(name),
      Records: [
        { PartitionKey: "a", Data: Buffer.from("1") },
        { PartitionKey: "b", Data: Buffer.from("2") },
        { PartitionKey: "a", Data: Buffer.from("3") },
        { PartitionKey: "a", Data: Buffer.from("4"), ExplicitHashKey: "0" },
        { PartitionKey: "a", Data: Buffer.from("5"), ExplicitHashKey: MAX },
      ],
    }),
  );
  assert.equal(answer.FailedRecordCount, 0);
  // The MD5s begin with 0c and 92.
  const shards = answer.Records?.map((record) => record.ShardId?.slice(-1));
  assert.deepEqual(shards, ["0", "2", "0", "0", "3"]);
  const first = await recordsFrom(client, name, "TRIM_HORIZON");
  assert.deepEqual(
    first.Records?.map((record) => [text(record.Data), record.SequenceNumber]),
    [0, 2, 3].map((at) => [["1", "2", "3", "4"][at], answer.Records?.[at]?.SequenceNumber]),
  );
  assert.equal(
    await refusal(put(name, "a", "x", { ExplicitHashKey: String(2n ** 128n) })),
    `InvalidArgumentException: Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${2n ** 128n}`,
  );
});

test("GetShardIterator begins at the horizon, the tip, a sequence number, after one, and at a time", async () => {
  const name = await setting.stream();
  const numbers: string[] = [];
  for (const data of ["a", "b", "c"]) {
    numbers.push((await put(name, "key", data)).SequenceNumber ?? "");
    clock.leap(1_000);
  }
  const at = (StartingSequenceNumber: string | undefined) => ({ StartingSequenceNumber });
  const contents = async (...from: [Parameters<typeof iteratorOf>[2], Parameters<typeof iteratorOf>[3]?]) => {
    clock.leap(1_000);
    return (await recordsFrom(client, name, ...from)).Records?.map((record) => text(record.Data)).join("");
  };
  const [, second] = (await recordsFrom(client, name, "TRIM_HORIZON")).Records ?? [];
  assert.equal(await contents("TRIM_HORIZON"), "abc");
  assert.equal(await contents("LATEST"), "");
  assert.equal(await contents("AT_SEQUENCE_NUMBER", at(numbers[1])), "bc");
  assert.equal(await contents("AFTER_SEQUENCE_NUMBER", at(numbers[1])), "c");
  assert.equal(await contents("AT_TIMESTAMP", { Timestamp: second?.ApproximateArrivalTimestamp }), "bc");
  assert.equal(await contents("AT_TIMESTAMP", { Timestamp: new Date(0) }), "abc");
  assert.equal(await contents("AT_TIMESTAMP", { Timestamp: new Date(clock.now()) }), "");
  const { Shards } = await client.send(new ListShardsCommand({ StreamName: name }));
  const start = Shards?.[0]?.SequenceNumberRange?.StartingSequenceNumber;
  assert.equal(await contents("AT_SEQUENCE_NUMBER", at(start)), "abc");
  const latest = await iteratorOf(client, name, "LATEST");
  await put(name, "key", "d");
  assert.deepEqual(
    (await read(latest)).Records?.map((record) => text(record.Data)),
    ["d"],
  );
});

test("GetShardIterator refuses what does not go together, and numbers and shards that are not there", async () => {
  const name = await setting.stream({ ShardCount: 2 });
  const other = await setting.stream({ ShardCount: 2 });
  const { SequenceNumber } = await put(name, "a", "x", { ExplicitHashKey: "0" });
  clock.leap(2_000);
  await setting.stream({ StreamName: "later", ShardCount: 2 });
  const { SequenceNumber: foreign } = await put("later", "a", "x", { ExplicitHashKey: "0" });
  const { SequenceNumber: ofSecond } = await put(other, "a", "x", { ExplicitHashKey: String(2n ** 127n) });
  const ask = async (ShardIteratorType: "LATEST" | "AT_TIMESTAMP" | "AT_SEQUENCE_NUMBER", more = {}) => {
    clock.leap(1_000);
    return refusal(
      client.send(
        new GetShardIteratorCommand({ StreamName: name, ShardId: FIRST_SHARD, ShardIteratorType, ...more }),
      ),
    );
  };
  const either =
    "InvalidArgumentException: Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or " +
    "(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified";
  const used = (number: string) =>
    `InvalidArgumentException: StartingSequenceNumber ${number} used in GetShardIterator on shard ${FIRST_SHARD} in stream ${name} under account ${ACCOUNT} is invalid`;
  assert.equal(
    await ask("LATEST", { StartingSequenceNumber: SequenceNumber }),
    `${either} LATEST and also a StartingSequenceNumber.`,
  );
  assert.equal(
    await ask("AT_SEQUENCE_NUMBER"),
    `${either} AT_SEQUENCE_NUMBER and no StartingSequenceNumber.`,
  );
  assert.equal(await ask("AT_SEQUENCE_NUMBER", { StartingSequenceNumber: "1" }), `${used("1")}.`);
  assert.equal(
    await ask("AT_SEQUENCE_NUMBER", { StartingSequenceNumber: foreign }),
    `${used(foreign ?? "")} because it did not come from this stream.`,
  );
  assert.equal(
    await ask("AT_SEQUENCE_NUMBER", { StartingSequenceNumber: ofSecond }),
    `InvalidArgumentException: Invalid StartingSequenceNumber. It encodes shardId-000000000001, while it was used in a call to a shard with ${FIRST_SHARD}`,
  );
  assert.match(await ask("AT_TIMESTAMP"), /Must specify timestampInMillis parameter/);
  assert.match(
    await ask("AT_TIMESTAMP", { Timestamp: new Date(clock.now() + 60_000) }),
    /cannot be greater than the currentTimestampInMillis/,
  );
  assert.equal(
    await ask("LATEST", { ShardId: "shardId-000000000009" }),
    `ResourceNotFoundException: Shard shardId-000000000009 in stream ${name} under account ${ACCOUNT} does not exist`,
  );
  assert.match(
    await ask("LATEST", { StreamName: "nobody" }),
    /^ResourceNotFoundException: Stream nobody under/,
  );
});

test("iterators of GetRecords expire after five minutes, and others' texts are none", async () => {
  const name = await setting.stream();
  const iterator = await iteratorOf(client, name, "TRIM_HORIZON");
  clock.leap(299_000);
  const { NextShardIterator = "" } = await read(iterator);
  clock.leap(2_000);
  assert.match(
    await refusal(read(iterator)),
    /^ExpiredIteratorException: Iterator expired. The iterator was created at time \w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4} while right now it is .* which is further in the future than the tolerated delay of 300000 milliseconds\.$/,
  );
  await read(NextShardIterator);
  assert.equal(await refusal(read("AAAA")), "InvalidArgumentException: Invalid ShardIterator.");
  assert.match(
    await refusal(read(NextShardIterator, { StreamARN: arnOf("other") })),
    /ShardIterator is of another stream/,
  );
});

test("GetRecords answers Limit records and says how far behind they are", async () => {
  const name = await setting.stream();
  const records = (...datas: string[]) =>
    datas.map((data) => ({ PartitionKey: "k", Data: Buffer.from(data) }));
  await client.send(new PutRecordsCommand({ StreamName: name, Records: records("a", "b", "c") }));
  clock.leap(10_000);
  await client.send(new PutRecordsCommand({ StreamName: name, Records: records("d") }));
  const first = await read(await iteratorOf(client, name, "TRIM_HORIZON"), { Limit: 2 });
  assert.deepEqual(
    first.Records?.map((record) => text(record.Data)),
    ["a", "b"],
  );
  const behind = first.MillisBehindLatest ?? 0;
  assert.ok(behind >= 10_000 && behind < 20_000, String(behind));
  const second = await read(first.NextShardIterator ?? "");
  assert.deepEqual(
    second.Records?.map((record) => text(record.Data)),
    ["c", "d"],
  );
  assert.equal(second.MillisBehindLatest, 0);
  assert.match(
    await refusal(read(first.NextShardIterator ?? "", { Limit: 10_001 })),
    /less than or equal to 10000/,
  );
});

test("GetRecords answers 10 MiB at most, and then nothing until that is made up for", async () => {
  const name = await setting.stream();
  await client.send(new UpdateMaxRecordSizeCommand({ StreamARN: arnOf(name), MaxRecordSizeInKiB: 10_240 }));
  const Data = Buffer.alloc(4 * 1_048_576, 7);
  for (let at = 0; at < 3; at++) {
    await client.send(new PutRecordCommand({ StreamName: name, PartitionKey: "k", Data }));
    clock.leap(5_000);
  }
  const first = await read(await iteratorOf(client, name, "TRIM_HORIZON"));
  assert.deepEqual(
    first.Records?.map((record) => record.Data?.length),
    [Data.length, Data.length],
  );
  const exceeded = `ProvisionedThroughputExceededException: Rate exceeded for shard ${FIRST_SHARD} in stream ${name} under account ${ACCOUNT}.`;
  clock.leap(1_000);
  assert.equal(await refusal(read(first.NextShardIterator ?? "")), exceeded);
  clock.leap(4_000);
  const second = await read(first.NextShardIterator ?? "");
  assert.ok(Data.equals(second.Records?.[0]?.Data ?? Buffer.alloc(0)));
});

test("a record may have 1 MiB with its key, more after UpdateMaxRecordSize, and a request of PutRecords 10 MiB", async () => {
  const name = await setting.stream();
  const big = Buffer.alloc(1_048_576);
  const refused = await refusal(put(name, "k", "", { Data: big }));
  assert.match(
    refused,
    /^InvalidArgumentException: The record at the request has 1048577 bytes .* at most 1048576;/,
  );
  await put(name, "k", "", { Data: big.subarray(1) });
  await client.send(new UpdateMaxRecordSizeCommand({ StreamARN: arnOf(name), MaxRecordSizeInKiB: 4_096 }));
  clock.leap(5_000);
  await put(name, "k", "", { Data: Buffer.alloc(4_194_303) });
  clock.leap(5_000);
  const Records = Array.from({ length: 11 }, () => ({ PartitionKey: "k", Data: big.subarray(1) }));
  assert.match(
    await refusal(client.send(new PutRecordsCommand({ StreamName: name, Records }))),
    /^InvalidArgumentException: The records of the request have \d+ bytes/,
  );
  assert.match(
    await refusal(
      client.send(new UpdateMaxRecordSizeCommand({ StreamARN: arnOf(name), MaxRecordSizeInKiB: 512 })),
    ),
    /^ValidationException: .*greater than or equal to 1024/,
  );
  const many = Array.from({ length: 501 }, () => ({ PartitionKey: "k", Data: Buffer.from("") }));
  assert.match(
    await refusal(client.send(new PutRecordsCommand({ StreamName: name, Records: many }))),
    /^ValidationException: .*less than or equal to 500/,
  );
  assert.match(
    await refusal(
      client.send(
        new PutRecordCommand({ StreamName: name, Data: Buffer.from("x"), PartitionKey: undefined }),
      ),
    ),
    /^ValidationException: .*'partitionKey' failed to satisfy constraint: Member must not be null/,
  );
});

test("PutRecord takes a SequenceNumberForOrdering that was given out, and no other", async () => {
  const name = await setting.stream();
  const { SequenceNumber } = await put(name, "k", "a");
  await put(name, "k", "b", { SequenceNumberForOrdering: SequenceNumber });
  assert.equal(
    await refusal(put(name, "k", "c", { SequenceNumberForOrdering: "5" })),
    `InvalidArgumentException: ExclusiveMinimumSequenceNumber 5 used in PutRecord on stream ${name} under account ${ACCOUNT} is invalid.`,
  );
});

test("DryRun checks and does nothing", async () => {
  const name = await setting.stream();
  const record = { PartitionKey: "k", Data: Buffer.from("x") };
  const iterator = await iteratorOf(client, name, "TRIM_HORIZON");
  const requests = [
    client.send(new PutRecordCommand({ StreamName: name, ...record, DryRun: true })),
    client.send(new PutRecordsCommand({ StreamName: name, Records: [record], DryRun: true })),
    client.send(new GetRecordsCommand({ ShardIterator: iterator, DryRun: true })),
    client.send(
      new GetShardIteratorCommand({
        StreamName: name,
        ShardId: FIRST_SHARD,
        ShardIteratorType: "LATEST",
        DryRun: true,
      }),
    ),
  ];
  for (const request of requests) assert.match(await refusal(request), /^DryRunOperationException/);
  assert.deepEqual((await read(iterator)).Records, []);
});

test("puts that run while a shard is split lose nothing and keep each key's order", async () => {
  const name = await setting.stream();
  const keys = Array.from({ length: 8 }, (_, at) => `key-${at}`);
  const writing = keys.map(async (key) => {
    for (let at = 0; at < 12; at++) await put(name, key, `${key} ${at}`);
  });
  await client.send(
    new SplitShardCommand({
      StreamName: name,
      ShardToSplit: FIRST_SHARD,
      NewStartingHashKey: String(2n ** 127n),
    }),
  );
  await Promise.all(writing);
  const seen = new Map<string, string[]>();
  for (const ShardId of [0, 1, 2].map((no) => `shardId-00000000000${no}`)) {
    const { Records = [] } = await recordsFrom(client, name, "TRIM_HORIZON", { ShardId });
    for (const { PartitionKey = "", Data } of Records)
      seen.set(PartitionKey, [...(seen.get(PartitionKey) ?? []), text(Data)]);
  }
  for (const key of keys)
    assert.deepEqual(
      seen.get(key),
      Array.from({ length: 12 }, (_, at) => `${key} ${at}`),
    );
});
