/** Kinesis as the AWS CLI and boto3 speak to it, and in CBOR, as the SDKs for Java do. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { cbor } from "@smithy/core/cbor";
import { missingClient, runClient } from "../harness/client-programs.ts";
import { startKinesis } from "../harness/kinesis.ts";
import type { KinesisSetting } from "../harness/kinesis.ts";

let setting: KinesisSetting;
before(async () => {
  setting = await startKinesis();
});
after(async () => setting.stop());

test(
  "the AWS CLI creates a stream, puts and gets",
  { skip: await missingClient("aws", ["--version"]) },
  async () => {
    const aws = async (...parameters: string[]) => {
      const flags = ["--endpoint-url", setting.server.endpoint, "--output", "json", "kinesis"];
      const printed = await runClient(setting.server, "aws", [...flags, ...parameters]);
      return printed === "" ? {} : (JSON.parse(printed) as Record<string, never>);
    };
    await aws("create-stream", "--stream-name", "cli", "--shard-count", "1");
    await aws("wait", "stream-exists", "--stream-name", "cli");
    // As a file, since versions 1 and 2 differ on how text is meant.
    const file = join(setting.server.dataDir, "record");
    await writeFile(file, "hello");
    const data = ["--data", `fileb://${file}`];
    const put = await aws("put-record", "--stream-name", "cli", "--partition-key", "k", ...data);
    assert.equal(put["ShardId"], "shardId-000000000000");
    const shard = ["--stream-name", "cli", "--shard-id", "shardId-000000000000"];
    const found = await aws("get-shard-iterator", ...shard, "--shard-iterator-type", "TRIM_HORIZON");
    const { Records, MillisBehindLatest } = await aws(
      "get-records",
      "--shard-iterator",
      String(found["ShardIterator"]),
    );
    const [record] = Records as unknown as Record<string, unknown>[];
    assert.deepEqual(
      [record?.["Data"], record?.["PartitionKey"], record?.["SequenceNumber"], MillisBehindLatest],
      [Buffer.from("hello").toString("base64"), "k", put["SequenceNumber"], 0],
    );
  },
);

const PYTHON = `
import boto3, os
client = boto3.client("kinesis", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
client.create_stream(StreamName="boto", ShardCount=2)
client.get_waiter("stream_exists").wait(StreamName="boto")
put = client.put_records(StreamName="boto", Records=[{"PartitionKey": str(i), "Data": b"\\x00\\xff%d" % i} for i in range(20)])
assert put["FailedRecordCount"] == 0, put
seen = {}
for page in client.get_paginator("list_shards").paginate(StreamName="boto"):
    for shard in page["Shards"]:
        iterator = client.get_shard_iterator(StreamName="boto", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        for record in client.get_records(ShardIterator=iterator)["Records"]:
            assert record["ApproximateArrivalTimestamp"].year > 2000
            seen[record["PartitionKey"]] = record["Data"]
assert seen == {str(i): b"\\x00\\xff%d" % i for i in range(20)}, seen
arn = client.describe_stream_summary(StreamName="boto")["StreamDescriptionSummary"]["StreamARN"]
consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="c")["Consumer"]["ConsumerARN"]
events = client.subscribe_to_shard(ConsumerARN=consumer, ShardId="shardId-000000000000", StartingPosition={"Type": "TRIM_HORIZON"})["EventStream"]
for event in events:
    assert len(event["SubscribeToShardEvent"]["Records"]) > 0
    break
events.close()
try:
    client.put_record(StreamName="nobody", PartitionKey="k", Data=b"")
    raise AssertionError("the stream was there")
except client.exceptions.ResourceNotFoundException as error:
    assert error.response["Error"]["Message"] == "Stream nobody under account 000000000000 not found.", error.response
client.delete_stream(StreamName="boto", EnforceConsumerDeletion=True)
client.get_waiter("stream_not_exists").wait(StreamName="boto")
print("done")
`;

test(
  "boto3 puts, gets and subscribes over HTTP/1.1, and sees its errors",
  { skip: await missingClient("python3", ["-c", "import boto3"]) },
  async () => {
    assert.equal((await runClient(setting.server, "python3", ["-c", PYTHON])).trim(), "done");
  },
);

test("requests in CBOR are answered in CBOR: blobs are bytes, and times milliseconds", async () => {
  const name = await setting.stream();
  const call = async (operation: string, input: object) => {
    const answer = await fetch(setting.server.endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-cbor-1.1",
        "x-amz-target": `Kinesis_20131202.${operation}`,
      },
      body: Buffer.from(cbor.serialize(input)),
    });
    assert.equal(answer.headers.get("content-type"), "application/x-amz-cbor-1.1");
    const output = cbor.deserialize(new Uint8Array(await answer.arrayBuffer())) as Record<string, unknown>;
    return { status: answer.status, output };
  };
  const Records = [{ PartitionKey: "k", Data: Uint8Array.of(0, 255) }];
  const put = await call("PutRecords", { StreamName: name, Records });
  assert.deepEqual([put.status, put.output["FailedRecordCount"]], [200, 0]);
  const { output } = await call("GetShardIterator", {
    StreamName: name,
    ShardId: "shardId-000000000000",
    ShardIteratorType: "TRIM_HORIZON",
  });
  const got = await call("GetRecords", { ShardIterator: output["ShardIterator"] });
  const [record] = got.output["Records"] as {
    Data: Uint8Array;
    ApproximateArrivalTimestamp: { value: number };
  }[];
  assert.deepEqual([...(record?.Data ?? [])], [0, 255]);
  assert.ok(Math.abs((record?.ApproximateArrivalTimestamp.value ?? 0) - Date.now()) < 60_000);
  const refused = await call("DescribeStream", { StreamName: "nobody" });
  assert.deepEqual([refused.status, refused.output["__type"]], [400, "ResourceNotFoundException"]);
});
