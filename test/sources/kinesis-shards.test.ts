/** Stream mappings over the life of a stream: resharding, consumers, permissions that go, streams that go; and what an idle one costs. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AttachRolePolicyCommand, DeleteRolePolicyCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamConsumerCommand,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordCommand,
  PutResourcePolicyCommand,
  RegisterStreamConsumerCommand,
  SplitShardCommand,
  waitUntilStreamExists,
  waitUntilStreamNotExists,
} from "@aws-sdk/client-kinesis";
import { CreateEventSourceMappingCommand, GetEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import { makeRole } from "../conformance/lambda-setting.ts";
import { MovableClock } from "../../src/index.ts";
import { queues } from "./queue-setting.ts";
import { numbered, ran, startStreams, taken, textsOf, until } from "./stream-setting.ts";
import type { Run, StreamSetting } from "./stream-setting.ts";

const WAIT = { maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 };
/** In the middle of all hash keys. */
const MIDDLE = (2n ** 127n).toString();

const clock = new MovableClock();
let setting: StreamSetting;
before(async () => {
  setting = await startStreams({ clock, shardThroughput: 0 });
});
after(() => setting?.stop());

const nameOf = (stream: string) => stream.split("/")[1] ?? "";
const active = (StreamName: string) =>
  waitUntilStreamExists({ client: setting.kinesis, ...WAIT }, { StreamName });
const shardOf = ({ event }: Run) => event.Records[0]?.eventID.split(":")[0] ?? "";

/** Splits the only open shard in two. */
async function split(StreamARN: string): Promise<void> {
  const { Shards = [] } = await setting.kinesis.send(new ListShardsCommand({ StreamARN }));
  const open = Shards.find(({ SequenceNumberRange }) => !SequenceNumberRange?.EndingSequenceNumber);
  await setting.kinesis.send(
    new SplitShardCommand({ StreamARN, ShardToSplit: open?.ShardId, NewStartingHashKey: MIDDLE }),
  );
  await active(nameOf(StreamARN));
}

const result = async (UUID: string | undefined) =>
  (await setting.lambda.send(new GetEventSourceMappingCommand({ UUID }))).LastProcessingResult ?? "";

test("shards that came of a split or a merge are read once their parents are done", async () => {
  const recorder = await setting.record("await sleep(20);");
  const stream = await setting.stream();
  const keys = numbered(10);
  const key = (place: number) => keys[place % 10] ?? "";
  const texts = (from: number) => numbered(30, from).map((n) => `${Number(n) % 10}:${n}`);
  await setting.put(stream, texts(0), key);
  await split(stream);
  await setting.put(stream, texts(30), key);
  await setting.kinesis.send(
    new MergeShardsCommand({
      StreamARN: stream,
      ShardToMerge: "shardId-000000000001",
      AdjacentShardToMerge: "shardId-000000000002",
    }),
  );
  await active(nameOf(stream));
  await setting.put(stream, texts(60), key);
  await setting.map(recorder, stream, { BatchSize: 5 });
  await until("all have come", async () => (await taken(recorder)).length === 90);
  const runs = await recorder.runs();
  const times = (shard: string) => {
    const own = runs.filter((run) => shardOf(run).endsWith(shard));
    return {
      began: Math.min(...own.map(({ began }) => began)),
      ended: Math.max(...own.map(({ ended }) => ended)),
    };
  };
  assert.ok(times("0").ended <= times("1").began && times("0").ended <= times("2").began);
  assert.ok(times("1").ended <= times("3").began && times("2").ended <= times("3").began);
  // Order of each key over all of it.
  const all = runs.flatMap(textsOf);
  for (const one of keys)
    assert.deepEqual(
      all.filter((text) => text.startsWith(`${one}:`)),
      [0, 30, 60].flatMap(texts).filter((text) => text.startsWith(`${one}:`)),
    );
});

test("a split while the mapping runs: every record comes once", async () => {
  const recorder = await setting.record();
  const stream = await setting.stream();
  await setting.map(recorder, stream, { StartingPosition: "LATEST" });
  const key = (place: number) => String(place);
  await setting.put(stream, numbered(10), key);
  await split(stream);
  await setting.put(stream, numbered(10, 10), key);
  await until("all have come", async () => (await taken(recorder)).length >= 20);
  const all = (await taken(recorder)).map(Number).toSorted((a, b) => a - b);
  assert.deepEqual(all, numbered(20).map(Number));
});

test("a consumer's ARN: enhanced fan-out", async () => {
  const recorder = await setting.record();
  const stream = await setting.stream();
  const { Consumer } = await setting.kinesis.send(
    new RegisterStreamConsumerCommand({ StreamARN: stream, ConsumerName: "fan" }),
  );
  const ConsumerARN = Consumer?.ConsumerARN ?? "";
  await until("the consumer is active", async () => {
    const { ConsumerDescription } = await setting.kinesis.send(
      new DescribeStreamConsumerCommand({ ConsumerARN }),
    );
    return ConsumerDescription?.ConsumerStatus === "ACTIVE";
  });
  await setting.put(stream, ["1"]);
  await setting.map(recorder, ConsumerARN);
  const [run] = await ran(recorder, 1);
  assert.deepEqual(run && textsOf(run), ["1"]);
  assert.equal(run?.event.Records[0]?.["eventSourceARN"], ConsumerARN);
  const gone = ConsumerARN.replace(/fan/, "gone");
  const create = (EventSourceArn: string, FunctionName = recorder.name) =>
    setting.lambda.send(
      new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn, StartingPosition: "LATEST" }),
    );
  await assert.rejects(create(gone), {
    name: "InvalidParameterValueException",
    message: `Stream not found: ${gone}`,
  });
  // The stream may be read, the consumer may not.
  const Role = await makeRole(setting.iam, "shared-only");
  const Statement = [{ Effect: "Allow", Action: "kinesis:*", Resource: stream }];
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await setting.iam.send(
    new PutRolePolicyCommand({ RoleName: "shared-only", PolicyName: "stream", PolicyDocument }),
  );
  const other = await setting.record("", { Role });
  await assert.rejects(create(ConsumerARN, other.name), {
    name: "InvalidParameterValueException",
    message: `Cannot access stream ${ConsumerARN}. Please ensure the role can perform the SubscribeToShard Actions on your stream in IAM.`,
  });
  await create(stream, other.name);
  // AWS's own policy for such functions is enough for both.
  await setting.iam.send(
    new AttachRolePolicyCommand({
      RoleName: "shared-only",
      PolicyArn: "arn:aws:iam::aws:policy/service-role/AWSLambdaKinesisExecutionRole",
    }),
  );
  await setting.iam.send(new DeleteRolePolicyCommand({ RoleName: "shared-only", PolicyName: "stream" }));
  await create(ConsumerARN, other.name);
});

test("a stream of another account is read where its policy and the role's both allow it", async () => {
  const theirs = new KinesisClient(setting.server.client({ account: "111111111111" }));
  await theirs.send(new CreateStreamCommand({ StreamName: "abroad", ShardCount: 1 }));
  await waitUntilStreamExists({ client: theirs, ...WAIT }, { StreamName: "abroad" });
  const ResourceARN = "arn:aws:kinesis:us-east-1:111111111111:stream/abroad";
  const recorder = await setting.record();
  await assert.rejects(setting.map(recorder, ResourceARN), {
    name: "InvalidParameterValueException",
    message: /^Cannot access stream/,
  });
  const Statement = [
    { Effect: "Allow", Principal: { AWS: setting.role }, Action: "kinesis:*", Resource: ResourceARN },
  ];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await theirs.send(new PutResourcePolicyCommand({ ResourceARN, Policy }));
  await setting.map(recorder, ResourceARN);
  await theirs.send(
    new PutRecordCommand({ StreamARN: ResourceARN, Data: Buffer.from("1"), PartitionKey: "key" }),
  );
  const [run] = await ran(recorder, 1);
  assert.deepEqual(run && textsOf(run), ["1"]);
  assert.equal(run?.event.Records[0]?.["eventSourceARN"], ResourceARN);
});

test("a role that may no longer read stops the mapping, which says so and goes on once it may", async () => {
  const Role = await makeRole(setting.iam, "comes-and-goes");
  const allow = () =>
    setting.iam.send(
      new PutRolePolicyCommand({
        RoleName: "comes-and-goes",
        PolicyName: "streams",
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "kinesis:*", Resource: "*" }],
        }),
      }),
    );
  await allow();
  const recorder = await setting.record("", { Role });
  const stream = await setting.stream();
  const { UUID } = await setting.map(recorder, stream);
  await setting.put(stream, ["1"]);
  await ran(recorder, 1);
  await setting.iam.send(new DeleteRolePolicyCommand({ RoleName: "comes-and-goes", PolicyName: "streams" }));
  await clock.advance(10_000);
  await setting.put(stream, ["2"]);
  await until("the problem is told", async () =>
    (await result(UUID)).startsWith("PROBLEM: Cannot access stream"),
  );
  assert.equal((await recorder.runs()).length, 1);
  await allow();
  await clock.advance(60_000);
  await ran(recorder, 2);
  assert.deepEqual(await taken(recorder), ["1", "2"]);
});

test("a stream that is deleted is told as a problem; one that is made anew under its name is read from its beginning", async () => {
  const recorder = await setting.record();
  const stream = await setting.stream();
  const StreamName = nameOf(stream);
  const { UUID } = await setting.map(recorder, stream);
  await setting.put(stream, ["1"]);
  await ran(recorder, 1);
  await setting.kinesis.send(new DeleteStreamCommand({ StreamName }));
  await waitUntilStreamNotExists({ client: setting.kinesis, ...WAIT }, { StreamName });
  await until(
    "the problem is told",
    async () => (await result(UUID)) === `PROBLEM: Stream not found: ${stream}`,
  );
  await setting.kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  await active(StreamName);
  await setting.put(stream, ["2"]);
  await clock.advance(60_000);
  await ran(recorder, 2);
  assert.deepEqual(await taken(recorder), ["1", "2"]);
  await setting.kinesis.send(new DeleteStreamCommand({ StreamName }));
  await waitUntilStreamNotExists({ client: setting.kinesis, ...WAIT }, { StreamName });
  // Whoever has no stream any more can still disable the mapping, and cannot enable it.
  await setting.enable(UUID, false);
  await assert.rejects(setting.enable(UUID, true), { message: `Stream not found: ${stream}` });
});

test("idle mappings of a stream and of queues cost no CPU", async () => {
  const recorder = await setting.record();
  const stream = await setting.stream(4);
  await setting.map(recorder, stream);
  await setting.put(stream, ["1"]);
  await ran(recorder, 1);
  const { queue, send } = queues(new SQSClient(setting.server.client()));
  const more = [{}, { BatchSize: 100, MaximumBatchingWindowInSeconds: 1 }, { ProvisionedPollerConfig: {} }];
  for (const [at, one] of more.entries()) {
    const [own, { arn: EventSourceArn, url }] = [
      await setting.record(),
      await queue(`idle-${at}`, { VisibilityTimeout: "30" }),
    ];
    const mapping = { FunctionName: own.name, EventSourceArn, ...one };
    await setting.lambda.send(new CreateEventSourceMappingCommand(mapping));
    await send({ url, arn: EventSourceArn }, ["1"]);
    await ran(own, 1);
  }
  await sleep(1_500);
  const before = process.cpuUsage();
  await sleep(1_000);
  const { user, system } = process.cpuUsage(before);
  // Of a second; the whole server of this file with its mappings.
  assert.ok(user + system < 100_000, `${user + system} µs`);
});
