/** The traps of AWS's wire protocols that have cost others days, one test each. */
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { APIGatewayClient, GetResourcesCommand, ImportRestApiCommand } from "@aws-sdk/client-api-gateway";
import { CloudWatchClient, PutMetricDataCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, StartLiveTailCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { KinesisClient, ListStreamsCommand } from "@aws-sdk/client-kinesis";
import {
  CreateFunctionCommand,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import {
  CopyObjectCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { SQSClient, GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { decodeCbor } from "../../src/aws/protocol/cbor-decode.ts";
import { encodeCbor, EpochTag } from "../../src/aws/protocol/cbor-encode.ts";
import { startDoor } from "./door.ts";
import type { Door } from "./door.ts";
import { doubles, lastInput, lastOperation, objectSize } from "./pitfall-doubles.ts";
import { rawRequest, scope } from "./raw-request.ts";
import type { RawRequest } from "./raw-request.ts";

let door: Door;

before(async () => {
  door = await startDoor({ services: doubles });
});
after(() => door.stop());

const raw = (request: RawRequest) => rawRequest(door.port, request);

test("1: a member bound to the query on the way in is in the body on the way out (API Gateway's position)", async () => {
  const answer = await new APIGatewayClient(door.client()).send(
    new GetResourcesCommand({ restApiId: "a", position: "p" }),
  );
  assert.equal(answer.position, "next-page");
  assert.equal(lastInput()?.["position"], "p");
});

test("2: query constants are not the caller's parameters (ImportRestApi's mode)", async () => {
  await new APIGatewayClient(door.client()).send(
    new ImportRestApiCommand({ body: Buffer.from("{}"), parameters: { ignore: "documentation" } }),
  );
  assert.deepEqual(lastInput()?.["parameters"], { ignore: "documentation" });
});

test("3: the SDK's Kinesis client speaks HTTP/2 with prior knowledge to the same port", async () => {
  const answer = await new KinesisClient(door.client()).send(new ListStreamsCommand({}));
  assert.deepEqual(answer.StreamNames, ["s"]);
});

test("4: PutMetricData of more than 10 KB comes gzipped, as JSON and as a form", async () => {
  const data = Array.from({ length: 400 }, (_, i) => ({ MetricName: `metric-${i}`, Value: i }));
  await new CloudWatchClient(door.client()).send(
    new PutMetricDataCommand({ Namespace: "n", MetricData: data }),
  );
  assert.equal((lastInput()?.["MetricData"] as unknown[] | undefined)?.length, 400);
  const form = gzipSync(
    "Action=PutMetricData&Version=2010-08-01&Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Value=2.5",
  );
  const headers = {
    ...scope("monitoring"),
    "content-encoding": "gzip",
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
  };
  assert.equal((await raw({ headers, body: form })).status, 200);
  assert.deepEqual(lastInput()?.["MetricData"], [{ MetricName: "m", Value: 2.5 }]);
});

test("5: GetBucketLocation's one member is the document element", async () => {
  const answer = await new S3Client(door.client()).send(new GetBucketLocationCommand({ Bucket: "bucket" }));
  assert.equal(answer.LocationConstraint, "eu-west-1");
  const { body } = await raw({ method: "GET", path: "/bucket?location", headers: scope("s3") });
  assert.match(
    String(body),
    /<LocationConstraint xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">eu-west-1<\/LocationConstraint>$/,
  );
});

test("6: an error to HEAD has a status and no body", async () => {
  const client = new S3Client(door.client());
  await assert.rejects(client.send(new HeadObjectCommand({ Bucket: "bucket", Key: "missing" })), {
    name: "NotFound",
  });
  const { status, body } = await raw({ method: "HEAD", path: "/bucket/missing", headers: scope("s3") });
  assert.equal(status, 404);
  assert.equal(body.length, 0);
});

test("7: HEAD keeps the object's length, and dates in headers are HTTP dates", async () => {
  const { status, headers } = await raw({ method: "HEAD", path: "/bucket/key", headers: scope("s3") });
  assert.equal(status, 200);
  assert.equal(headers["content-length"], String(objectSize));
  assert.equal(headers["last-modified"], "Tue, 14 Nov 2023 22:13:20 GMT");
});

test("8: wrong types are a SerializationException, not something for the operation to trip over", async () => {
  const headers = {
    ...scope("dynamodb"),
    "x-amz-target": "DynamoDB_20120810.PutItem",
    "content-type": "application/x-amz-json-1.0",
  };
  for (const body of [
    '{"TableName":5}',
    '{"TableName":"t","Item":"x"}',
    '{"TableName":"t","Item":{"a":{"B":"*"}}}',
    "{",
  ]) {
    const answer = await raw({ headers, body });
    assert.equal(answer.status, 400, body);
    const error = JSON.parse(String(answer.body)) as Record<string, unknown>;
    assert.equal(error["__type"], "com.amazon.coral.service#SerializationException", body);
  }
});

test("9: unknown members are passed over, null is absent, and __proto__ is a key like any other", async () => {
  const headers = {
    ...scope("dynamodb"),
    "x-amz-target": "DynamoDB_20120810.PutItem",
    "content-type": "application/x-amz-json-1.0",
  };
  const body =
    '{"TableName":"table","Item":{"a":{"S":"x","Z":1},"__proto__":{"S":"y"}},"New":{"b":1},"ConditionExpression":null}';
  assert.equal((await raw({ headers, body })).status, 200);
  const input = lastInput();
  assert.deepEqual(Object.keys(input ?? {}), ["TableName", "Item"]);
  const item = input?.["Item"] as Record<string, unknown>;
  assert.deepEqual(Object.keys(item), ["a", "__proto__"]);
  assert.deepEqual(item["a"], { S: "x" });
});

test("10: a long beyond 2^53 keeps its digits", async () => {
  const headers = {
    ...scope("kinesis"),
    "x-amz-target": "Kinesis_20131202.GetShardIterator",
    "content-type": "application/x-amz-json-1.1",
  };
  const body =
    '{"StreamName":"s","ShardId":"shardId-0","ShardIteratorType":"LATEST","Timestamp":1700000000.123}';
  assert.equal((await raw({ headers, body })).status, 200);
  assert.deepEqual(lastInput()?.["Timestamp"], new Date(1_700_000_000_123));
  const { parseJson } = await import("../../src/aws/protocol/json.ts");
  assert.deepEqual(parseJson(Buffer.from('{"n":9223372036854775807,"s":"9223372036854775807"}')), {
    n: 9_223_372_036_854_775_807n,
    s: "9223372036854775807",
  });
});

test("11: an error in an event stream is an exception frame, and the server lives on", async () => {
  const logs = new CloudWatchLogsClient(door.client({ disableHostPrefix: true }));
  const answer = await logs.send(
    new StartLiveTailCommand({ logGroupIdentifiers: ["arn:aws:logs:us-east-1:000000000000:log-group:g"] }),
  );
  const events: string[] = [];
  await assert.rejects(
    async () => {
      for await (const event of answer.responseStream ?? []) events.push(...Object.keys(event));
    },
    { name: "SessionTimeoutException", message: "the session is over" },
  );
  assert.deepEqual(events, ["sessionStart"]);
  const stream = await new LambdaClient(door.client()).send(
    new InvokeWithResponseStreamCommand({ FunctionName: "f" }),
  );
  await assert.rejects(async () => {
    for await (const event of stream.EventStream ?? []) assert.ok(event.PayloadChunk);
  });
  assert.equal(door.logged.at(-1)?.["message"], "error in a streamed response");
  await new KinesisClient(door.client()).send(new ListStreamsCommand({}));
});

test("12: payloads pass as the bytes they are, without a deprecation warning", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on("warning", onWarning);
  const payload = Uint8Array.from({ length: 256 }, (_, i) => i);
  const { Payload } = await new LambdaClient(door.client()).send(
    new InvokeCommand({ FunctionName: "f", Payload: payload }),
  );
  assert.deepEqual(new Uint8Array(Payload ?? []), payload);
  process.off("warning", onWarning);
  assert.deepEqual(warnings, []);
});

test("13: services that once spoke query carry its codes on JSON too", async () => {
  const headers = {
    ...scope("sqs"),
    "x-amz-target": "AmazonSQS.GetQueueUrl",
    "content-type": "application/x-amz-json-1.0",
  };
  const answer = await raw({ headers, body: '{"QueueName":"nope"}' });
  assert.equal(answer.headers["x-amzn-query-error"], "AWS.SimpleQueueService.NonExistentQueue;Sender");
  await assert.rejects(new SQSClient(door.client()).send(new GetQueueUrlCommand({ QueueName: "nope" })), {
    name: "QueueDoesNotExist",
  });
  const form = "Action=GetQueueUrl&Version=2012-11-05&QueueName=nope";
  const query = await raw({
    headers: { ...scope("sqs"), "content-type": "application/x-www-form-urlencoded" },
    body: form,
  });
  assert.match(
    String(query.body),
    /<Type>Sender<\/Type><Code>AWS.SimpleQueueService.NonExistentQueue<\/Code>/,
  );
});

test("14: an error may be thrown by its query code, and codes without a shape pass through", async () => {
  await assert.rejects(
    new CloudWatchClient(door.client()).send(
      new SetAlarmStateCommand({ AlarmName: "a", StateValue: "OK", StateReason: "r" }),
    ),
    { message: "no alarm" },
  );
  await assert.rejects(
    new CloudFormationClient(door.client()).send(new DescribeStacksCommand({ StackName: "nope" })),
    {
      name: "ValidationError",
      message: "Stack with id nope does not exist",
    },
  );
});

test("15: the older CBOR of Kinesis has milliseconds in tag 1, rpcv2Cbor has seconds", async () => {
  const kinesis = await raw({
    headers: {
      ...scope("kinesis"),
      "x-amz-target": "Kinesis_20131202.GetShardIterator",
      "content-type": "application/x-amz-cbor-1.1",
    },
    body: encodeCbor({
      StreamName: "s",
      ShardId: "shardId-0",
      ShardIteratorType: "AT_TIMESTAMP",
      Timestamp: new EpochTag(1_700_000_000_123),
    }),
  });
  assert.equal(kinesis.status, 200, String(kinesis.body));
  assert.deepEqual(lastInput()?.["Timestamp"], new Date(1_700_000_000_123));
  assert.deepEqual(decodeCbor(kinesis.body), { ShardIterator: "i" });
  const records = await raw({
    headers: {
      ...scope("kinesis"),
      "x-amz-target": "Kinesis_20131202.GetRecords",
      "content-type": "application/x-amz-cbor-1.1",
    },
    body: encodeCbor({ ShardIterator: "i" }),
  });
  const { Records } = decodeCbor(records.body) as {
    Records: { ApproximateArrivalTimestamp: EpochTag; Data: Uint8Array }[];
  };
  assert.equal(Records[0]?.ApproximateArrivalTimestamp.value, 1_700_000_000_123);
  assert.equal(String(Records[0]?.Data), "x");
  const rpc = await raw({
    path: "/service/GraniteServiceVersion20100801/operation/DescribeAlarmHistory",
    headers: { ...scope("monitoring"), "smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor" },
    body: encodeCbor({ StartDate: new EpochTag(1_700_000_000.5) }),
  });
  assert.equal(rpc.headers["smithy-protocol"], "rpc-v2-cbor");
  assert.deepEqual(lastInput()?.["StartDate"], new Date(1_700_000_000_500));
  const history = decodeCbor(rpc.body) as { AlarmHistoryItems: { Timestamp: EpochTag }[] };
  assert.equal(history.AlarmHistoryItems[0]?.Timestamp.value, 1_700_000_000.123);
});

test("16: presigned, unsigned and public requests need no Authorization header", async () => {
  const client = new S3Client(door.client());
  const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: "bucket", Key: "k é/1" }), {
    expiresIn: 60,
  });
  assert.equal(await (await fetch(url)).text(), "body of bucket/k é/1");
  assert.equal(await (await fetch(`${door.endpoint}/bucket/plain`)).text(), "body of bucket/plain");
  const body =
    "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::000000000000:role/r&RoleSessionName=session&WebIdentityToken=token";
  const sts = await raw({ headers: { "content-type": "application/x-www-form-urlencoded" }, body });
  assert.equal(sts.status, 200, String(sts.body));
  assert.equal(lastOperation(), "AssumeRoleWithWebIdentity");
});

test("17: Expect: 100-continue is answered before the body is sent", async () => {
  const answer = await new Promise<{ continued: boolean; status: number }>((resolve, reject) => {
    let continued = false;
    const headers = { ...scope("s3"), expect: "100-continue", "content-length": "4" };
    const request = httpRequest(
      { port: door.port, method: "PUT", path: "/bucket/expected", headers },
      (response) => {
        response.resume();
        resolve({ continued, status: response.statusCode ?? 0 });
      },
    );
    request.on("continue", () => {
      continued = true;
      request.end("body");
    });
    request.on("error", reject);
    request.flushHeaders();
  });
  assert.deepEqual(answer, { continued: true, status: 200 });
  assert.equal(lastInput()?.["Body"], "body");
});

test("18: a bucket may stand in the host name", async () => {
  for (const host of [
    "my.bucket.s3.localhost:4566",
    "my.bucket.localhost",
    "my.bucket.s3.us-east-1.amazonaws.com",
    "my.bucket.s3-eu-west-1.example",
  ]) {
    const { body } = await raw({ method: "GET", path: "/a/b", headers: { ...scope("s3"), host } });
    assert.equal(String(body), "body of my.bucket/a/b", host);
  }
  for (const host of [
    "s3.localhost",
    "s3.us-east-1.localhost:1",
    "127.0.0.1:4566",
    "localhost",
    "[::1]:4566",
  ]) {
    const { body } = await raw({ method: "GET", path: "/bucket/b", headers: { ...scope("s3"), host } });
    assert.equal(String(body), "body of bucket/b", host);
  }
});

test("19: operations on one path are told apart by required headers and query members, and x-id counts for nothing", async () => {
  const client = new S3Client(door.client());
  await client.send(new PutObjectCommand({ Bucket: "bucket", Key: "k", Body: "x" }));
  assert.equal(lastOperation(), "PutObject");
  await client.send(new CopyObjectCommand({ Bucket: "bucket", Key: "k", CopySource: "bucket/j" }));
  assert.equal(lastOperation(), "CopyObject");
  await client.send(
    new UploadPartCommand({ Bucket: "bucket", Key: "k", UploadId: "u", PartNumber: 3, Body: "x" }),
  );
  assert.equal(lastOperation(), "UploadPart");
  assert.equal(lastInput()?.["PartNumber"], 3);
  await client.send(new ListObjectsV2Command({ Bucket: "bucket" }));
  assert.equal(lastOperation(), "ListObjectsV2");
  await client.send(new GetBucketAclCommand({ Bucket: "bucket" }));
  assert.equal(lastOperation(), "GetBucketAcl");
  await raw({ method: "PUT", path: "/bucket/k?x-id=GetObject", headers: scope("s3"), body: "y" });
  assert.equal(lastOperation(), "PutObject");
  await raw({ method: "GET", path: "/bucket/", headers: scope("s3") });
  assert.equal(lastOperation(), "ListObjects");
});

test("20: keys keep their slashes, dots and encodings", async () => {
  for (const [path, key] of [
    ["/bucket/a//b/", "a//b/"],
    ["/bucket/%2Flead", "/lead"],
    ["/bucket/a%20b+c%2Fd", "a b+c/d"],
    ["/bucket/../x", "../x"],
    ["/bucket/%F0%9F%98%80", "😀"],
  ]) {
    await raw({ method: "PUT", path: path ?? "", headers: scope("s3"), body: "" });
    assert.equal(lastInput()?.["Key"], key);
  }
  const broken = await raw({ method: "PUT", path: "/bucket/%zz", headers: scope("s3"), body: "" });
  assert.equal(broken.status, 400);
  assert.match(String(broken.body), /<Code>InvalidURI<\/Code>/);
});

test("21: a success has the status of its model, and boto3's trailing slash is the same path", async () => {
  const created = await raw({
    path: "/2015-03-31/functions",
    headers: { ...scope("lambda"), "content-type": "application/json; charset=UTF-8" },
    body: '{"FunctionName":"f","Role":"arn:aws:iam::000000000000:role/r","Code":{}}',
  });
  assert.equal(created.status, 201, String(created.body));
  const deleted = await raw({
    method: "DELETE",
    path: "/2015-03-31/functions/f/aliases/a",
    headers: scope("lambda"),
  });
  assert.equal(deleted.status, 204);
  assert.equal(
    (await raw({ method: "GET", path: "/2015-03-31/functions/?MaxItems=5", headers: scope("lambda") }))
      .status,
    200,
  );
  assert.equal(lastInput()?.["MaxItems"], 5);
});

test("22: a known operation that is not built answers 501 naming it, in the caller's protocol", async () => {
  const body = "Action=ListUsers&Version=2010-05-08";
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const query = await raw({ headers: { ...scope("iam"), ...form }, body });
  assert.equal(query.status, 501);
  assert.match(
    String(query.body),
    /<Code>NotImplemented<\/Code><Message>Lambent does not implement IAM ListUsers<\/Message>/,
  );
  const s3 = await raw({ method: "GET", path: "/bucket?torrent", headers: scope("s3") });
  assert.equal(s3.status, 200, "an unknown query parameter does not hide ListObjects");
  const json = await raw({
    headers: { ...scope("ssm"), "x-amz-target": "AmazonSSM.GetParameter" },
    body: "{}",
  });
  assert.equal(json.status, 501);
  assert.match(String(json.body), /Lambent does not implement SSM GetParameter/);
  const unknown = await raw({ path: "/x", headers: scope("quicksight"), body: "{}" });
  assert.equal(unknown.status, 501);
  assert.match(String(unknown.body), /Lambent does not implement the service quicksight/);
});

test("23: an operation that AWS does not have is answered in the service's own words", async () => {
  const json = await raw({
    headers: {
      ...scope("dynamodb"),
      "x-amz-target": "DynamoDB_20120810.Nope",
      "content-type": "application/x-amz-json-1.0",
    },
    body: "{}",
  });
  assert.match(String(json.body), /com.amazon.coral.service#UnknownOperationException/);
  const form = { ...scope("sts"), "content-type": "application/x-www-form-urlencoded" };
  const query = await raw({ headers: form, body: "Action=Nope&Version=2011-06-15" });
  assert.match(String(query.body), /<Code>InvalidAction<\/Code>/);
  const s3 = await raw({ method: "POST", path: "/bucket/key", headers: scope("s3"), body: "" });
  assert.equal(s3.status, 405);
});

test("24: a bug of ours is one 500 with a request id, logged once with its stack", async () => {
  const before = door.logged.length;
  const answer = await raw({
    path: "/2015-03-31/functions/f/versions",
    headers: scope("lambda"),
    body: "{}",
  });
  assert.equal(answer.status, 500);
  assert.equal(answer.headers["x-amzn-errortype"], "ServiceException");
  assert.doesNotMatch(String(answer.body), /a bug/);
  const lines = door.logged.slice(before);
  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.["requestId"], answer.headers["x-amzn-requestid"]);
  assert.match(String(lines[0]?.["error"]), /TypeError: a bug\n +at /);
  const path = "/2015-03-31/functions/f/aliases/a";
  assert.equal((await raw({ method: "GET", path, headers: scope("lambda") })).status, 500);
});

test("25: a missing required member of a REST operation is named, not unrouted", async () => {
  const answer = await raw({
    method: "DELETE",
    path: "/2017-03-31/tags/arn%3Aaws%3Alambda",
    headers: scope("lambda"),
  });
  assert.equal(answer.headers["x-amzn-errortype"], "NotImplemented");
  await assert.rejects(
    new LambdaClient(door.client()).send(
      new CreateFunctionCommand({ FunctionName: "f", Role: undefined, Code: {} }),
    ),
    {
      name: "ValidationException",
      message:
        "1 validation error detected: Value null at 'role' failed to satisfy constraint: Member must not be null",
    },
  );
});
