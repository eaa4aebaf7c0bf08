/** The direct way of PutRecords and PutRecord and the general one: whatever is sent is answered alike by both. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PutResourcePolicyCommand } from "@aws-sdk/client-kinesis";
import { systemClock } from "../../src/kit/clock.ts";
import { arnOf, recordsFrom, startKinesis, text } from "../harness/kinesis.ts";
import type { KinesisSetting } from "../harness/kinesis.ts";
import { rawRequest } from "../protocol/raw-request.ts";

let setting: KinesisSetting;
before(async () => {
  // Time stands still, so that nothing is made up for between two calls.
  const now = Date.now();
  setting = await startKinesis({ clock: { ...systemClock, now: () => now } });
});
after(async () => setting.stop());

const AUTHORIZATION =
  "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=0";

async function call(way: "direct" | "general", operation: string, body: string) {
  const { port } = new URL(setting.server.endpoint);
  const answer = await rawRequest(Number(port), {
    headers: {
      host: `localhost:${port}`,
      authorization: AUTHORIZATION,
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `Kinesis_20131202.${operation}`,
      // A header that the direct way does not know.
      ...(way === "general" && { "x-something": "else" }),
    },
    body,
  });
  const { "content-type": type, "x-amzn-requestid": id } = answer.headers;
  assert.match(String(id), /^[0-9a-f-]{36}$/);
  return { status: answer.status, type, body: String(answer.body).replaceAll(/\d{56}/g, "NUMBER") };
}

const DATA = Buffer.from("record").toString("base64");

test("PutRecords and PutRecord are answered alike by both ways", async () => {
  const name = await setting.stream({ ShardCount: 4 });
  // What is not known yet goes the general way.
  await call("general", "PutRecord", JSON.stringify({ StreamName: name, Data: DATA, PartitionKey: "k" }));
  const record = { Data: DATA, PartitionKey: "a" };
  const many = (Records: unknown, more = {}) =>
    ["PutRecords", { StreamName: name, Records, ...more }] as const;
  const one = (more: object) => ["PutRecord", { StreamName: name, ...record, ...more }] as const;
  const calls = [
    many([record, { ...record, PartitionKey: "b" }, { ...record, ExplicitHashKey: "0" }]),
    many([
      { ...record, PartitionKey: 'ü\u0000"' },
      { ...record, Data: "" },
    ]),
    many([{ ...record, ExplicitHashKey: "00" }]),
    many([{ ...record, ExplicitHashKey: String(2n ** 128n) }]),
    many([{ ...record, ExplicitHashKey: 5 }]),
    many([{ ...record, PartitionKey: "" }]),
    many([{ ...record, PartitionKey: "x".repeat(257) }]),
    many([{ ...record, Data: "abc" }]),
    many([{ ...record, Data: "ab*=" }]),
    many([{ ...record, Data: null }]),
    many([{ ...record, More: 1 }]),
    many([{ Data: DATA }, null]),
    many([]),
    many(Array.from({ length: 501 }, () => record)),
    many(undefined),
    many({ 0: record }),
    many([record], { StreamARN: arnOf(name) }),
    many([record], { StreamName: "nobody" }),
    many([record], { StreamName: "a b" }),
    many([record], { DryRun: true }),
    many([record], { Unknown: 1 }),
    one({}),
    one({ ExplicitHashKey: String(2n ** 127n) }),
    one({ SequenceNumberForOrdering: "1" }),
    one({ Data: "*" }),
    one({ PartitionKey: undefined }),
    one({ StreamName: undefined }),
  ];
  for (const [operation, input] of calls) {
    const body = JSON.stringify(input);
    const [direct, general] = [await call("direct", operation, body), await call("general", operation, body)];
    assert.deepEqual(direct, general, body.slice(0, 200));
  }
  for (const body of ["", "[]", "null", "{", '"x"', "\u00ff"])
    assert.deepEqual(await call("direct", "PutRecords", body), await call("general", "PutRecords", body));
});

test("what PutRecords put by the direct way is read as it was sent; what is too much fails alike", async () => {
  const name = await setting.stream();
  const put = (way: "direct" | "general", ...datas: string[]) =>
    call(
      way,
      "PutRecords",
      JSON.stringify({
        StreamName: name,
        Records: datas.map((data) => ({
          Data: Buffer.from(data).toString("base64"),
          PartitionKey: `k${data[0]}`,
        })),
      }),
    );
  await put("general", "one");
  await put("direct", "two", "three");
  const { Records } = await recordsFrom(setting.client, name, "TRIM_HORIZON");
  assert.deepEqual(
    Records?.map((record) => [text(record.Data), record.PartitionKey]),
    [
      ["one", "ko"],
      ["two", "kt"],
      ["three", "kt"],
    ],
  );
  const big = "x".repeat(350_000);
  const first = await put("direct", big, big, big, big);
  assert.match(first.body, /"FailedRecordCount":2,/);
  const [direct, general] = [await put("direct", big), await put("general", big)];
  assert.match(direct.body, /"FailedRecordCount":1,.*Rate exceeded for shard/);
  assert.deepEqual(direct, general);
});

test("a stream's policy, which may deny root, is asked by both ways of PutRecord", async () => {
  const name = await setting.stream();
  const Statement = [{ Effect: "Deny", Principal: "*", Action: "kinesis:PutRecord", Resource: arnOf(name) }];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  const body = JSON.stringify({ StreamName: name, Data: DATA, PartitionKey: "k" });
  assert.equal((await call("direct", "PutRecord", body)).status, 200);
  await setting.client.send(new PutResourcePolicyCommand({ ResourceARN: arnOf(name), Policy }));
  for (const way of ["direct", "general"] as const) {
    const refused = await call(way, "PutRecord", body);
    assert.deepEqual([refused.status, /AccessDeniedException/.test(refused.body)], [400, true]);
  }
});
