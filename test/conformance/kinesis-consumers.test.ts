/** Consumers with enhanced fan-out: registered, described, and sent records over HTTP/2 as they come. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  DeregisterStreamConsumerCommand,
  DescribeStreamConsumerCommand,
  ListStreamConsumersCommand,
  ListTagsForResourceCommand,
  PutRecordCommand,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  SplitShardCommand,
  SubscribeToShardCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-kinesis";
import type { KinesisClient, StartingPosition, SubscribeToShardEvent } from "@aws-sdk/client-kinesis";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { ACCOUNT, FIRST_SHARD, arnOf, refusal, startKinesis, text } from "../harness/kinesis.ts";
import type { KinesisSetting } from "../harness/kinesis.ts";

const clock = new MovableClock();
let setting: KinesisSetting;
let client: KinesisClient;
before(async () => {
  setting = await startKinesis({ clock });
  ({ client } = setting);
});
after(async () => setting.stop());

async function register(name: string, ConsumerName = "reader"): Promise<string> {
  const { Consumer } = await client.send(
    new RegisterStreamConsumerCommand({ StreamARN: arnOf(name), ConsumerName }),
  );
  return Consumer?.ConsumerARN ?? "";
}

const put = (StreamName: string, data: string) =>
  client.send(new PutRecordCommand({ StreamName, PartitionKey: "k", Data: Buffer.from(data) }));

/** The events of a subscription, one at a time; undefined at its end. */
async function subscribe(ConsumerARN: string, position: StartingPosition) {
  const { EventStream } = await client.send(
    new SubscribeToShardCommand({ ConsumerARN, ShardId: FIRST_SHARD, StartingPosition: position }),
  );
  assert.ok(EventStream);
  const events = EventStream[Symbol.asyncIterator]();
  return async (): Promise<SubscribeToShardEvent | undefined> => {
    const { value } = (await events.next()) as { value?: { SubscribeToShardEvent?: SubscribeToShardEvent } };
    return value?.SubscribeToShardEvent;
  };
}

const contents = (event: SubscribeToShardEvent | undefined) =>
  event?.Records?.map((record) => text(record.Data));

test("RegisterStreamConsumer, DescribeStreamConsumer, ListStreamConsumers and DeregisterStreamConsumer", async () => {
  const name = await setting.stream();
  const { Consumer } = await client.send(
    new RegisterStreamConsumerCommand({ StreamARN: arnOf(name), ConsumerName: "b", Tags: { team: "x" } }),
  );
  const arn = Consumer?.ConsumerARN ?? "";
  assert.match(arn, new RegExp(`^${arnOf(name)}/consumer/b:\\d{10}$`));
  assert.equal(Consumer?.ConsumerStatus, "ACTIVE");
  for (const input of [
    { ConsumerARN: arn },
    { StreamARN: arnOf(name), ConsumerName: "b" },
    { ConsumerARN: arn, StreamARN: arnOf(name), ConsumerName: "b" },
  ]) {
    const { ConsumerDescription } = await client.send(new DescribeStreamConsumerCommand(input));
    assert.deepEqual(ConsumerDescription, { ...Consumer, StreamARN: arnOf(name) });
  }
  const describe = (input: object) => refusal(client.send(new DescribeStreamConsumerCommand(input)));
  assert.match(await describe({}), /^InvalidArgumentException: Either ConsumerARN or both/);
  assert.match(
    await describe({ ConsumerARN: arn, ConsumerName: "c" }),
    /^InvalidArgumentException: .*different consumers/,
  );
  assert.match(
    await describe({ ConsumerARN: `${arn.slice(0, -1)}x` }),
    /^ValidationException|^InvalidArgument/,
  );
  assert.match(
    await describe({ ConsumerARN: arn.replace(/\d+$/, "1000000000") }),
    /^ResourceNotFoundException: Consumer b with creation timestamp 1000000000/,
  );
  assert.match(await refusal(register(name, "b")), /^ResourceInUseException: Consumer b .* already exists/);
  const ResourceARN = arn;
  await client.send(new TagResourceCommand({ ResourceARN, Tags: { more: "y" } }));
  await client.send(new UntagResourceCommand({ ResourceARN, TagKeys: ["team"] }));
  const { Tags } = await client.send(new ListTagsForResourceCommand({ ResourceARN }));
  assert.deepEqual(Tags, [{ Key: "more", Value: "y" }]);
  await register(name, "a");
  const first = await client.send(new ListStreamConsumersCommand({ StreamARN: arnOf(name), MaxResults: 1 }));
  assert.deepEqual(
    first.Consumers?.map((one) => one.ConsumerName),
    ["a"],
  );
  const second = await client.send(
    new ListStreamConsumersCommand({ StreamARN: arnOf(name), NextToken: first.NextToken }),
  );
  assert.deepEqual(second.Consumers, [Consumer]);
  assert.equal(second.NextToken, undefined);
  await client.send(new DeregisterStreamConsumerCommand({ ConsumerARN: arn }));
  assert.match(await describe({ ConsumerARN: arn }), /^ResourceNotFoundException/);
  for (let at = 0; at < 19; at++) await register(name, `more-${at}`);
  assert.match(await refusal(register(name, "last")), /^LimitExceededException: .*20 registered consumers/);
});

test("SubscribeToShard sends what is there, what comes, where to go on in silence, and the children at the end", async () => {
  const name = await setting.stream();
  const arn = await register(name);
  await put(name, "before");
  const next = await subscribe(arn, { Type: "TRIM_HORIZON" });
  const first = await next();
  assert.deepEqual(contents(first), ["before"]);
  assert.equal(first?.ContinuationSequenceNumber, first?.Records?.[0]?.SequenceNumber);
  assert.equal(first?.MillisBehindLatest, 0);
  const coming = next();
  await put(name, "after");
  assert.deepEqual(contents(await coming), ["after"]);
  const silent = next();
  await clock.advance(5_000);
  const silence = await silent;
  assert.deepEqual(silence?.Records, []);
  assert.match(silence?.ContinuationSequenceNumber ?? "", /^\d{56}$/);
  const ending = next();
  await client.send(
    new SplitShardCommand({ StreamName: name, ShardToSplit: FIRST_SHARD, NewStartingHashKey: "1000" }),
  );
  const end = await ending;
  assert.deepEqual(
    end?.ChildShards?.map((shard) => shard.ShardId),
    ["shardId-000000000001", "shardId-000000000002"],
  );
  assert.equal(end?.ContinuationSequenceNumber, undefined);
  assert.equal(await next(), undefined);
});

test("a subscription of SubscribeToShard goes on where the last one ended, and ends after five minutes", async () => {
  const name = await setting.stream();
  const arn = await register(name);
  await client.send(
    new PutRecordsCommand({
      StreamName: name,
      Records: ["a", "b", "c"].map((data) => ({ PartitionKey: "k", Data: Buffer.from(data) })),
    }),
  );
  const next = await subscribe(arn, { Type: "TRIM_HORIZON" });
  const event = await next();
  assert.deepEqual(contents(event), ["a", "b", "c"]);
  const SequenceNumber = event?.Records?.[1]?.SequenceNumber;
  const rest = (async () => {
    for (;;) if ((await next()) === undefined) return "ended";
  })();
  await clock.advance(301_000);
  assert.equal(await rest, "ended");
  const again = await subscribe(arn, { Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber });
  assert.deepEqual(contents(await again()), ["c"]);
});

test("SubscribeToShard a second time is refused for five seconds, and then takes over", async () => {
  const name = await setting.stream();
  const arn = await register(name);
  const first = await subscribe(arn, { Type: "LATEST" });
  const active = `ResourceInUseException: Another active subscription exists for this consumer: ${ACCOUNT}:${name}:${FIRST_SHARD}:reader`;
  assert.equal(await refusal(subscribe(arn, { Type: "LATEST" })), active);
  await clock.advance(5_001);
  const second = await subscribe(arn, { Type: "LATEST" });
  const lost = (async () => {
    for (;;) await first();
  })();
  assert.equal(await refusal(lost), active);
  const coming = second();
  await put(name, "x");
  assert.deepEqual(contents(await coming), ["x"]);
});

test("SubscribeToShard refuses consumers, shards and positions that are not there, and ends with its consumer", async () => {
  const name = await setting.stream();
  const arn = await register(name);
  const ask = (more: object) =>
    refusal(
      client.send(
        new SubscribeToShardCommand({
          ConsumerARN: arn,
          ShardId: FIRST_SHARD,
          StartingPosition: { Type: "LATEST" },
          ...more,
        }),
      ),
    );
  assert.match(await ask({ ShardId: "shardId-000000000007" }), /^ResourceNotFoundException: Shard/);
  assert.match(await ask({ StartingPosition: { Type: "AT_SEQUENCE_NUMBER" } }), /^InvalidArgumentException/);
  assert.match(
    await ask({ ConsumerARN: arn.replace("reader", "nobody") }),
    /^ResourceNotFoundException: Consumer/,
  );
  assert.match(await ask({ DryRun: true }), /^DryRunOperationException/);
  const next = await subscribe(arn, { Type: "LATEST" });
  await client.send(new DeregisterStreamConsumerCommand({ ConsumerARN: arn }));
  assert.match(await refusal(next()), /^ResourceNotFoundException: Consumer reader/);
});
