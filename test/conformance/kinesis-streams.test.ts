/** Streams: created, described, listed, changed and deleted; what they may be, and what is refused by name. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  AddTagsToStreamCommand,
  CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DeleteStreamCommand,
  DescribeAccountSettingsCommand,
  DescribeLimitsCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  IncreaseStreamRetentionPeriodCommand,
  KinesisClient,
  ListStreamsCommand,
  ListTagsForResourceCommand,
  ListTagsForStreamCommand,
  PutRecordCommand,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  RemoveTagsFromStreamCommand,
  StartStreamEncryptionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAccountSettingsCommand,
  UpdateStreamModeCommand,
  UpdateStreamWarmThroughputCommand,
  UpdateStreamRecordDistributionStrategyCommand,
  waitUntilStreamExists,
  waitUntilStreamNotExists,
} from "@aws-sdk/client-kinesis";
import {
  LeapingClock,
  ACCOUNT,
  arnOf,
  recordsFrom,
  refusal,
  startKinesis,
  text,
} from "../harness/kinesis.ts";
import type { KinesisSetting } from "../harness/kinesis.ts";

const HOUR_MS = 3_600_000;
const clock = new LeapingClock();
let setting: KinesisSetting;
let client: KinesisClient;
before(async () => {
  setting = await startKinesis({ clock });
  ({ client } = setting);
});
after(async () => setting.stop());

const summaryOf = async (StreamName: string) =>
  (await client.send(new DescribeStreamSummaryCommand({ StreamName }))).StreamDescriptionSummary;

test("CreateStream makes a stream that waiters, DescribeStream and DescribeStreamSummary find ACTIVE", async () => {
  await client.send(
    new CreateStreamCommand({
      StreamName: "first",
      ShardCount: 2,
      Tags: { team: "a" },
      MaxRecordSizeInKiB: 2_048,
    }),
  );
  await waitUntilStreamExists({ client, maxWaitTime: 10, minDelay: 1 }, { StreamName: "first" });
  const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamARN: arnOf("first") }));
  const { StreamCreationTimestamp, Shards, ...rest } = StreamDescription ?? {};
  assert.ok(Math.abs((StreamCreationTimestamp?.getTime() ?? 0) - clock.now()) < 60_000);
  assert.deepEqual(rest, {
    StreamName: "first",
    StreamARN: arnOf("first"),
    StreamStatus: "ACTIVE",
    StreamModeDetails: { StreamMode: "PROVISIONED" },
    HasMoreShards: false,
    RetentionPeriodHours: 24,
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: "NONE",
  });
  assert.deepEqual(
    Shards?.map((shard) => [shard.ShardId, shard.HashKeyRange]),
    [
      ["shardId-000000000000", { StartingHashKey: "0", EndingHashKey: String(2n ** 127n - 1n) }],
      [
        "shardId-000000000001",
        { StartingHashKey: String(2n ** 127n), EndingHashKey: String(2n ** 128n - 1n) },
      ],
    ],
  );
  const summary = await summaryOf("first");
  assert.equal(summary?.OpenShardCount, 2);
  assert.equal(summary?.ConsumerCount, 0);
  assert.equal(summary?.MaxRecordSizeInKiB, 2_048);
  const page = await client.send(new DescribeStreamCommand({ StreamName: "first", Limit: 1 }));
  assert.equal(page.StreamDescription?.HasMoreShards, true);
  const next = await client.send(
    new DescribeStreamCommand({ StreamName: "first", ExclusiveStartShardId: "shardId-000000000000" }),
  );
  assert.deepEqual(
    next.StreamDescription?.Shards?.map((shard) => shard.ShardId),
    ["shardId-000000000001"],
  );
});

test("CreateStream refuses names that are taken, counts that do not go with the mode, and what is not there", async () => {
  const name = await setting.stream();
  const create = (more: object) =>
    refusal(client.send(new CreateStreamCommand({ StreamName: "wrong", ShardCount: 1, ...more })));
  const onDemand = { StreamModeDetails: { StreamMode: "ON_DEMAND" } };
  assert.equal(
    await create({ StreamName: name }),
    `ResourceInUseException: Stream ${name} under account ${ACCOUNT} already exists.`,
  );
  assert.match(await create({ ShardCount: undefined }), /^ValidationException: ShardCount is required/);
  assert.match(await create(onDemand), /^ValidationException: ShardCount cannot be given/);
  assert.match(await create({ ShardCount: 20_001 }), /^LimitExceededException/);
  assert.match(await create({ StreamName: "a b" }), /^ValidationException: .*regular expression pattern/);
  assert.match(await create({ RecordDistributionStrategy: "AUTO" }), /^InvalidArgumentException/);
  assert.match(await create({ WarmThroughputMiBps: 10 }), /^NotImplemented: .*WarmThroughputMiBps/);
  assert.match(
    await create({ ShardCount: 20_000 }),
    /^LimitExceededException: This request would exceed the shard limit .*Limit: 20000\./,
  );
});

test("a stream is named by StreamName, StreamARN or both that agree; not by neither, another's, or a StreamId", async () => {
  const name = await setting.stream();
  const describe = (input: object) => refusal(client.send(new DescribeStreamSummaryCommand(input)));
  assert.equal(await describe({ StreamName: name, StreamARN: arnOf(name) }), "(accepted)");
  assert.match(
    await describe({ StreamName: "first", StreamARN: arnOf(name) }),
    /^InvalidArgumentException: .*two different streams/,
  );
  assert.match(await describe({}), /^InvalidArgumentException: Either StreamName or StreamARN/);
  // The SDK sends it to a host of its own.
  const answer = await fetch(setting.server.endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "Kinesis_20131202.ListShards" },
    body: JSON.stringify({ StreamName: name, StreamId: `${"a".repeat(20)}-abc` }),
  });
  assert.equal(answer.status, 501);
  assert.match(await answer.text(), /NotImplemented.*StreamId/);
  assert.equal(
    await describe({ StreamName: "nobody" }),
    `ResourceNotFoundException: Stream nobody under account ${ACCOUNT} not found.`,
  );
  assert.match(
    await describe({ StreamARN: `arn:aws:kinesis:eu-west-1:${ACCOUNT}:stream/${name}` }),
    /^ResourceNotFoundException/,
  );
  const elsewhere = new KinesisClient(setting.server.client({ region: "eu-west-1" }));
  assert.match(
    await refusal(elsewhere.send(new DescribeStreamSummaryCommand({ StreamName: name }))),
    /^ResourceNotFoundException/,
  );
  elsewhere.destroy();
});

test("ListStreams answers names in order, in pages", async () => {
  const other = new KinesisClient(setting.server.client({ account: "111111111111" }));
  for (const StreamName of ["c", "a", "b"])
    await other.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  const first = await other.send(new ListStreamsCommand({ Limit: 2 }));
  assert.deepEqual([first.StreamNames, first.HasMoreStreams], [["a", "b"], true]);
  assert.equal(first.StreamSummaries?.[0]?.StreamARN, arnOf("a", "111111111111"));
  const { NextToken } = first;
  const second = await other.send(new ListStreamsCommand({ NextToken }));
  assert.deepEqual([second.StreamNames, second.HasMoreStreams], [["c"], false]);
  const after = await other.send(new ListStreamsCommand({ ExclusiveStartStreamName: "a" }));
  assert.deepEqual(after.StreamNames, ["b", "c"]);
  clock.leap(301_000);
  assert.match(
    await refusal(other.send(new ListStreamsCommand({ NextToken }))),
    /^ExpiredNextTokenException/,
  );
  assert.match(
    await refusal(other.send(new ListStreamsCommand({ NextToken: "abc" }))),
    /^InvalidArgumentException/,
  );
  other.destroy();
});

test("DeleteStream removes a stream with its records; with consumers only with EnforceConsumerDeletion", async () => {
  const name = await setting.stream();
  await client.send(new PutRecordCommand({ StreamName: name, PartitionKey: "k", Data: Buffer.from("old") }));
  await client.send(new RegisterStreamConsumerCommand({ StreamARN: arnOf(name), ConsumerName: "reader" }));
  assert.match(
    await refusal(client.send(new DeleteStreamCommand({ StreamName: name }))),
    /^ResourceInUseException: .*registered consumers/,
  );
  await client.send(new DeleteStreamCommand({ StreamName: name, EnforceConsumerDeletion: true }));
  await waitUntilStreamNotExists({ client, maxWaitTime: 10, minDelay: 1 }, { StreamName: name });
  assert.match(
    await refusal(client.send(new DeleteStreamCommand({ StreamName: name }))),
    /^ResourceNotFoundException/,
  );
  assert.match(
    await refusal(
      client.send(new PutRecordCommand({ StreamName: name, PartitionKey: "k", Data: Buffer.from("x") })),
    ),
    /^ResourceNotFoundException/,
  );
  await setting.stream({ StreamName: name });
  assert.deepEqual((await recordsFrom(client, name, "TRIM_HORIZON")).Records, []);
  assert.equal((await summaryOf(name))?.ConsumerCount, 0);
});

test("records expire; IncreaseStreamRetentionPeriod brings none back, and DecreaseStreamRetentionPeriod hides older ones", async () => {
  const name = await setting.stream();
  const put = (data: string) =>
    client.send(new PutRecordCommand({ StreamName: name, PartitionKey: "k", Data: Buffer.from(data) }));
  const contents = async () => {
    clock.leap(1_000);
    return (await recordsFrom(client, name, "TRIM_HORIZON")).Records?.map((one) => text(one.Data)).join();
  };
  const keep = (RetentionPeriodHours: number) => ({ StreamName: name, RetentionPeriodHours });
  await put("a");
  clock.leap(23 * HOUR_MS);
  await put("b");
  assert.equal(await contents(), "a,b");
  clock.leap(2 * HOUR_MS);
  assert.equal(await contents(), "b");
  await client.send(new IncreaseStreamRetentionPeriodCommand(keep(48)));
  assert.equal((await summaryOf(name))?.RetentionPeriodHours, 48);
  assert.equal(await contents(), "b");
  clock.leap(30 * HOUR_MS);
  assert.equal(await contents(), "b");
  await client.send(new DecreaseStreamRetentionPeriodCommand(keep(24)));
  assert.equal(await contents(), "");
  const increase = (hours: number) =>
    refusal(client.send(new IncreaseStreamRetentionPeriodCommand(keep(hours))));
  const decrease = (hours: number) =>
    refusal(client.send(new DecreaseStreamRetentionPeriodCommand(keep(hours))));
  assert.match(await increase(23), /Minimum allowed retention period is 24 hours/);
  assert.match(await increase(8_761), /Maximum allowed retention period is 8760 hours/);
  assert.match(await decrease(25), /can not be longer than existing retention period \(24 hours\)/);
  assert.equal(await increase(8_760), "(accepted)");
  assert.match(await increase(48), /can not be shorter than existing retention period/);
});

test("tags by AddTagsToStream, RemoveTagsFromStream and ListTagsForStream, and by TagResource, UntagResource and ListTagsForResource", async () => {
  const StreamName = await setting.stream({ Tags: { a: "1" } });
  const ResourceARN = arnOf(StreamName);
  await client.send(new AddTagsToStreamCommand({ StreamName, Tags: { b: "2", a: "0" } }));
  await client.send(new TagResourceCommand({ ResourceARN, Tags: { c: "3" } }));
  const first = await client.send(new ListTagsForStreamCommand({ StreamName, Limit: 2 }));
  assert.deepEqual(first.Tags, [
    { Key: "a", Value: "0" },
    { Key: "b", Value: "2" },
  ]);
  assert.equal(first.HasMoreTags, true);
  const rest = await client.send(new ListTagsForStreamCommand({ StreamName, ExclusiveStartTagKey: "b" }));
  assert.deepEqual([rest.Tags, rest.HasMoreTags], [[{ Key: "c", Value: "3" }], false]);
  await client.send(new RemoveTagsFromStreamCommand({ StreamName, TagKeys: ["a"] }));
  await client.send(new UntagResourceCommand({ ResourceARN, TagKeys: ["b", "z"] }));
  const { Tags } = await client.send(new ListTagsForResourceCommand({ ResourceARN }));
  assert.deepEqual(Tags, [{ Key: "c", Value: "3" }]);
  const add = (tags: Record<string, string>) =>
    refusal(client.send(new AddTagsToStreamCommand({ StreamName, Tags: tags })));
  assert.match(await add({ "aws:x": "1" }), /^InvalidArgumentException: .*aws:/);
  assert.match(await add({ "a*": "1" }), /^InvalidArgumentException: Some tags contain invalid characters/);
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`k${at}`, ""]));
  assert.match(await add(many), /^InvalidArgumentException: .*more than 50 tags/);
});

test("on-demand streams have four shards, split those that are asked for more than they give, and spread records by UpdateStreamRecordDistributionStrategy", async () => {
  const StreamName = await setting.stream({ StreamModeDetails: { StreamMode: "ON_DEMAND" } });
  const StreamARN = arnOf(StreamName);
  assert.equal((await summaryOf(StreamName))?.OpenShardCount, 4);
  assert.equal((await summaryOf(StreamName))?.RecordDistributionStrategy, "USER_PARTITION_KEY");
  const Records = Array.from({ length: 3 }, () => ({
    PartitionKey: "k",
    ExplicitHashKey: "0",
    Data: Buffer.alloc(500_000),
  }));
  const put = () => client.send(new PutRecordsCommand({ StreamName, Records }));
  assert.equal((await put()).FailedRecordCount, 1);
  clock.leap(3_000);
  while ((await summaryOf(StreamName))?.OpenShardCount === 4) await setTimeout(5);
  assert.ok(((await put()).Records?.[0]?.ShardId ?? "") >= "shardId-000000000004");
  await client.send(
    new UpdateStreamRecordDistributionStrategyCommand({ StreamARN, RecordDistributionStrategy: "AUTO" }),
  );
  clock.leap(60_000);
  const spread = await client.send(
    new PutRecordsCommand({
      StreamName,
      Records: Array.from({ length: 100 }, () => ({ PartitionKey: undefined, Data: Buffer.from("x") })),
    }),
  );
  assert.ok(new Set(spread.Records?.map((record) => record.ShardId)).size > 1);
  assert.equal((await summaryOf(StreamName))?.RecordDistributionStrategy, "AUTO");
});

test("UpdateStreamMode changes a stream's mode, twice in 24 hours", async () => {
  const name = await setting.stream({ ShardCount: 2 });
  const change = (StreamMode: "ON_DEMAND" | "PROVISIONED") =>
    refusal(
      client.send(new UpdateStreamModeCommand({ StreamARN: arnOf(name), StreamModeDetails: { StreamMode } })),
    );
  const strategy = () =>
    refusal(
      client.send(
        new UpdateStreamRecordDistributionStrategyCommand({
          StreamARN: arnOf(name),
          RecordDistributionStrategy: "AUTO",
        }),
      ),
    );
  assert.match(await strategy(), /^InvalidArgumentException: .*only supported for on-demand/);
  assert.equal(await change("ON_DEMAND"), "(accepted)");
  assert.deepEqual((await summaryOf(name))?.StreamModeDetails, { StreamMode: "ON_DEMAND" });
  assert.equal((await summaryOf(name))?.OpenShardCount, 2);
  assert.equal(await change("PROVISIONED"), "(accepted)");
  assert.match(await change("ON_DEMAND"), /^LimitExceededException: .*at most 2 times in 24 hours/);
  clock.leap(25 * HOUR_MS);
  assert.equal(await change("ON_DEMAND"), "(accepted)");
  assert.equal(await strategy(), "(accepted)");
  assert.match(await change("PROVISIONED"), /^InvalidArgumentException: .*AUTO/);
});

test("DescribeLimits counts; DescribeAccountSettings and UpdateAccountSettings know of no commitment", async () => {
  const other = new KinesisClient(setting.server.client({ account: "222222222222" }));
  await other.send(new CreateStreamCommand({ StreamName: "a", ShardCount: 3 }));
  await other.send(
    new CreateStreamCommand({ StreamName: "b", StreamModeDetails: { StreamMode: "ON_DEMAND" } }),
  );
  const { $metadata: _metadata, ...limits } = await other.send(new DescribeLimitsCommand({}));
  assert.deepEqual(limits, {
    ShardLimit: 20_000,
    OpenShardCount: 3,
    OnDemandStreamCount: 1,
    OnDemandStreamCountLimit: 50,
  });
  other.destroy();
  const settings = await client.send(new DescribeAccountSettingsCommand({}));
  assert.deepEqual(settings.MinimumThroughputBillingCommitment, { Status: "DISABLED" });
  const update = (Status: "ENABLED" | "DISABLED") =>
    refusal(
      client.send(new UpdateAccountSettingsCommand({ MinimumThroughputBillingCommitment: { Status } })),
    );
  assert.equal(await update("DISABLED"), "(accepted)");
  assert.match(await update("ENABLED"), /^NotImplemented/);
});

test("encryption and warm throughput are refused by name", async () => {
  const name = await setting.stream();
  const encrypt = new StartStreamEncryptionCommand({ StreamName: name, EncryptionType: "KMS", KeyId: "k" });
  assert.match(await refusal(client.send(encrypt)), /^NotImplemented: .*Kinesis StartStreamEncryption/);
  const warm = new UpdateStreamWarmThroughputCommand({ StreamName: name, WarmThroughputMiBps: 10 });
  assert.match(await refusal(client.send(warm)), /^NotImplemented: .*Kinesis UpdateStreamWarmThroughput/);
});
