/** What CloudWatch tells of streams, and of their shards where that was asked for, as `/_lambent/metrics` tells it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  DisableEnhancedMonitoringCommand,
  EnableEnhancedMonitoringCommand,
  PutRecordCommand,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
} from "@aws-sdk/client-kinesis";
import type { KinesisClient, MetricsName } from "@aws-sdk/client-kinesis";
import { FIRST_SHARD, arnOf, recordsFrom, refusal, startKinesis } from "../harness/kinesis.ts";
import type { KinesisSetting } from "../harness/kinesis.ts";

let setting: KinesisSetting;
let client: KinesisClient;
before(async () => {
  setting = await startKinesis();
  ({ client } = setting);
});
after(() => setting.stop());

/** Metrics with exactly these labels beside account and region, without their first `aws_kinesis_`; how long something took left out. */
async function metricsOf(labels: string): Promise<Record<string, number>> {
  const answer = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
  const own = `{account="000000000000",region="us-east-1",${labels}}`;
  const lines = answer.split("\n").filter((line) => line.startsWith("aws_kinesis_") && line.includes(own));
  return Object.fromEntries(
    lines
      .filter((line) => !/latency|_max/.test(line))
      .map((line) => [line.slice("aws_kinesis_".length, line.indexOf("{")), Number(line.split(" ").at(-1))]),
  );
}

const record = (data: string) => ({ PartitionKey: "k", Data: Buffer.from(data) });

test("what is put and read is counted of a stream", async () => {
  const StreamName = await setting.stream();
  await client.send(new PutRecordCommand({ StreamName, ...record("four") }));
  const Records = Array.from({ length: 500 }, () => record("x"));
  await client.send(new PutRecordsCommand({ StreamName, Records }));
  const { FailedRecordCount } = await client.send(
    new PutRecordsCommand({ StreamName, Records: [...Records.slice(0, 499), record("y")] }),
  );
  // A thousand records a second are taken, and one was before.
  assert.ok(FailedRecordCount === undefined || FailedRecordCount <= 1);
  const failed = FailedRecordCount ?? 0;
  await recordsFrom(client, StreamName, "TRIM_HORIZON", {});
  const metrics = await metricsOf(`stream_name="${StreamName}"`);
  assert.deepEqual(metrics, {
    incoming_bytes_total: 5 + 1_000 * 2 - 2 * failed,
    incoming_records_total: 1_001 - failed,
    put_record_bytes_total: 5,
    put_record_success_sum: 1,
    put_record_success_count: 1,
    put_records_bytes_total: 2_000,
    put_records_success_sum: 2,
    put_records_success_count: 2,
    put_records_total_records_total: 1_000,
    put_records_successful_records_total: 1_000 - failed,
    put_records_throttled_records_total: failed,
    ...(failed > 0 && { write_provisioned_throughput_exceeded_total: failed }),
    get_records_bytes_total: 5 + 1_000 * 2 - 2 * failed,
    get_records_records_total: 1_001 - failed,
    get_records_iterator_age_milliseconds_sum: 0,
    get_records_iterator_age_milliseconds_count: 1,
    get_records_success_sum: 1,
    get_records_success_count: 1,
  });
});

test("reads that come too often are counted, and what consumers are sent", async () => {
  const StreamName = await setting.stream();
  await client.send(new PutRecordCommand({ StreamName, ...record("data") }));
  const reads = await Promise.all(
    Array.from({ length: 20 }, () => refusal(recordsFrom(client, StreamName, "TRIM_HORIZON", {}))),
  );
  const { Consumer } = await client.send(
    new RegisterStreamConsumerCommand({ StreamARN: arnOf(StreamName), ConsumerName: "reader" }),
  );
  const subscribe = () =>
    client.send(
      new SubscribeToShardCommand({
        ConsumerARN: Consumer?.ConsumerARN,
        ShardId: FIRST_SHARD,
        StartingPosition: { Type: "TRIM_HORIZON" },
      }),
    );
  const { EventStream } = await subscribe();
  for await (const event of EventStream ?? []) if (event.SubscribeToShardEvent?.Records?.length) break;
  assert.match(await refusal(subscribe()), /^ResourceInUseException/);
  const ofStream = await metricsOf(`stream_name="${StreamName}"`);
  const read = ofStream["get_records_success_sum"] ?? 0;
  assert.ok(reads.includes("(accepted)") && read >= 1 && read < 20);
  assert.deepEqual(await metricsOf(`stream_name="${StreamName}",consumer_name="reader"`), {
    subscribe_to_shard_success_sum: 1,
    subscribe_to_shard_success_count: 2,
    subscribe_to_shard_rate_exceeded_total: 1,
    subscribe_to_shard_event_bytes_total: 5,
    subscribe_to_shard_event_records_total: 1,
    subscribe_to_shard_event_millis_behind_latest_milliseconds_sum: 0,
    subscribe_to_shard_event_millis_behind_latest_milliseconds_count: 1,
    subscribe_to_shard_event_success_sum: 1,
    subscribe_to_shard_event_success_count: 1,
  });
});

test("EnableEnhancedMonitoring and DisableEnhancedMonitoring choose what is told of each shard", async () => {
  const StreamName = await setting.stream({ ShardCount: 2 });
  const enable = (...ShardLevelMetrics: MetricsName[]) =>
    client.send(new EnableEnhancedMonitoringCommand({ StreamName, ShardLevelMetrics }));
  const disable = (...ShardLevelMetrics: MetricsName[]) =>
    client.send(new DisableEnhancedMonitoringCommand({ StreamARN: arnOf(StreamName), ShardLevelMetrics }));
  const enabled = await enable("OutgoingRecords", "IncomingRecords");
  assert.deepEqual(
    [
      enabled.StreamName,
      enabled.StreamARN,
      enabled.CurrentShardLevelMetrics,
      enabled.DesiredShardLevelMetrics,
    ],
    [StreamName, arnOf(StreamName), [], ["IncomingRecords", "OutgoingRecords"]],
  );
  const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamName }));
  assert.deepEqual(StreamDescription?.EnhancedMonitoring, [
    { ShardLevelMetrics: ["IncomingRecords", "OutgoingRecords"] },
  ]);
  const { ShardId = "" } = await client.send(new PutRecordCommand({ StreamName, ...record("data") }));
  await client.send(new PutRecordsCommand({ StreamName, Records: [record("a"), record("b")] }));
  await recordsFrom(client, StreamName, "TRIM_HORIZON", { ShardId });
  const ofShard = () => metricsOf(`stream_name="${StreamName}",shard_id="${ShardId}"`);
  assert.deepEqual(await ofShard(), { incoming_records_total: 3, outgoing_records_total: 3 });
  assert.equal((await enable("ALL")).DesiredShardLevelMetrics?.length, 7);
  await recordsFrom(client, StreamName, "TRIM_HORIZON", { ShardId });
  assert.deepEqual(await ofShard(), {
    incoming_records_total: 3,
    outgoing_records_total: 6,
    outgoing_bytes_total: 9,
    iterator_age_milliseconds_sum: 0,
    iterator_age_milliseconds_count: 1,
  });
  assert.deepEqual((await disable("IncomingRecords")).DesiredShardLevelMetrics?.length, 6);
  await client.send(new PutRecordCommand({ StreamName, ...record("data") }));
  assert.equal((await ofShard())["incoming_records_total"], 3);
  assert.deepEqual((await disable("ALL")).DesiredShardLevelMetrics, []);
  const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
  assert.deepEqual(StreamDescriptionSummary?.EnhancedMonitoring, [{ ShardLevelMetrics: [] }]);
  assert.match(await refusal(enable("Nothing" as MetricsName)), /^ValidationException/);
});
