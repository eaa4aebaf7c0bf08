/** InvokeWithResponseStream: events while the function works, its failures, slow callers and ones that leave, limits, other clients. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:http2";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { InvokeWithResponseStreamCommand, LambdaClient, PublishVersionCommand } from "@aws-sdk/client-lambda";
import type {
  InvokeWithResponseStreamCommandInput,
  InvokeWithResponseStreamResponseEvent,
  LambdaServiceException,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { makeUser } from "../harness/principals.ts";
import { startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
let s3: S3Client;

before(async () => {
  // Without AWS's rate, which would make these tests slow.
  setting = await startSetting({ streamBytesPerSecond: 0 });
  s3 = new S3Client(setting.server.client());
  await s3.send(new CreateBucketCommand({ Bucket: "gate" }));
});
after(async () => setting?.server.stop());

const authorization = (service: string) =>
  `AWS4-HMAC-SHA256 Credential=000000000000/20261123/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;

/** A handler with `event`, `stream`, and `gate`: a bucket through which it and the test talk meanwhile. */
const streaming = (body: string) => `import { setTimeout as sleep } from "node:timers/promises";
  import { once } from "node:events";
  const gate = (key, init = {}) => fetch(process.env.AWS_ENDPOINT_URL + "/gate/" + key, { ...init, headers: { authorization:
    "${authorization("s3")}", "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } });
  export const handler = awslambda.streamifyResponse(async (event, stream) => {${body}});`;

const open = (key: string) => s3.send(new PutObjectCommand({ Bucket: "gate", Key: key, Body: "" }));

async function told(key: string): Promise<string> {
  for (let tries = 0; tries < 1_200; tries++) {
    const found = await s3.send(new GetObjectCommand({ Bucket: "gate", Key: key })).catch(() => undefined);
    if (found) return (await found.Body?.transformToString()) ?? "";
    await sleep(50);
  }
  return assert.fail(`${key} was never told`);
}

async function invoke(
  FunctionName: string,
  event: unknown = {},
  more: Partial<InvokeWithResponseStreamCommandInput> = {},
) {
  return setting.lambda.send(
    new InvokeWithResponseStreamCommand({ FunctionName, Payload: JSON.stringify(event), ...more }),
  );
}

async function read(events: AsyncIterable<InvokeWithResponseStreamResponseEvent> | undefined) {
  const chunks: Uint8Array[] = [];
  let complete;
  for await (const event of events ?? []) {
    assert.equal(complete, undefined, "an event after InvokeComplete");
    if (event.PayloadChunk?.Payload) chunks.push(event.PayloadChunk.Payload);
    complete = event.InvokeComplete;
  }
  assert.ok(complete, "no InvokeComplete");
  const log = Buffer.from(complete.LogResult ?? "", "base64").toString();
  return { chunks, text: Buffer.concat(chunks).toString(), complete, log };
}

/** What the two ends of a connection of this machine may hold. */
function socketBytesMax(): number {
  const largest = ["tcp_rmem", "tcp_wmem"].map((name) => {
    const file = `/proc/sys/net/ipv4/${name}`;
    return existsSync(file) ? Number(readFileSync(file, "utf8").trim().split(/\s+/)[2]) : 8_388_608;
  });
  return largest.reduce((sum, bytes) => sum + bytes, 0);
}

/** The answer's head, its body not read. */
async function rawInvoke(name: string, event: unknown): Promise<IncomingMessage> {
  const path = `/2021-11-15/functions/${name}/response-streaming-invocations`;
  const headers = { authorization: authorization("lambda") };
  const asking = request(`${setting.server.endpoint}${path}`, { method: "POST", headers });
  asking.end(JSON.stringify(event));
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  return response;
}

test("InvokeWithResponseStream gives the first bytes while the handler waits for the caller's next request", async () => {
  const name = await setting.create(
    streaming(`stream.setContentType("text/plain"); stream.write("first ");
      while (!(await gate("go")).ok) await sleep(10);
      stream.end("second");`),
    { Timeout: 30 },
  );
  const answer = await invoke(name, {}, { LogType: "Tail" });
  assert.deepEqual([answer.StatusCode, answer.ExecutedVersion], [200, "$LATEST"]);
  const events = answer.EventStream?.[Symbol.asyncIterator]();
  const first = (await events?.next())?.value as InvokeWithResponseStreamResponseEvent;
  assert.equal(Buffer.from(first.PayloadChunk?.Payload ?? []).toString(), "first ");
  await open("go");
  const rest = await read({ [Symbol.asyncIterator]: () => events as AsyncIterator<never> });
  assert.equal(rest.text, "second");
  assert.deepEqual([rest.complete.ErrorCode, rest.complete.ErrorDetails], [undefined, undefined]);
  assert.match(rest.log, /^START [^]*\nEND RequestId: \S+\nREPORT RequestId: /);
});

test("InvokeWithResponseStream tells a failure in its last event, before the first byte and after", async () => {
  const name = await setting.create(
    streaming(`if (event.write) { stream.write("part"); await sleep(1); } throw new RangeError("no more");`),
  );
  for (const write of [false, true]) {
    const { text, complete, log } = await read(
      (await invoke(name, { write }, { LogType: "Tail" })).EventStream,
    );
    assert.equal(text, write ? "part" : "");
    assert.equal(complete.ErrorCode, "RangeError");
    const details = JSON.parse(complete.ErrorDetails ?? "") as Record<string, unknown>;
    assert.deepEqual([details["errorType"], details["errorMessage"]], ["RangeError", "no more"]);
    assert.match(log, /Invoke Error/);
  }
  const whole = await setting.invoke(name, { write: true });
  assert.deepEqual(
    [whole.error, (whole.value as { errorMessage: string }).errorMessage],
    ["Unhandled", "no more"],
  );
});

test("InvokeWithResponseStream ends at the function's timeout with what came before", async () => {
  const name = await setting.create(streaming(`stream.write("part");`), { Timeout: 1 });
  const { text, complete } = await read((await invoke(name)).EventStream);
  assert.equal(text, "part");
  assert.equal(complete.ErrorCode, "Sandbox.Timedout");
  assert.match(complete.ErrorDetails ?? "", /Task timed out after 1\.00 seconds/);
});

test("InvokeWithResponseStream gives what a handler answers whole, in chunks, and its error", async () => {
  const name = await setting.create(
    `export const handler = async (event) => { if (event.fail) throw new TypeError("whole"); return "x".repeat(event.size); };`,
    { MemorySize: 512 },
  );
  const { chunks, text } = await read((await invoke(name, { size: 6_291_554 })).EventStream);
  assert.equal(text.length, 6_291_556);
  assert.ok(chunks.length > 1);
  const above = await read((await invoke(name, { size: 6_291_555 })).EventStream);
  assert.deepEqual([above.text, above.complete.ErrorCode], ["", "Function.ResponseSizeTooLarge"]);
  assert.equal(
    (await read((await invoke(name, { fail: true })).EventStream)).complete.ErrorCode,
    "TypeError",
  );
});

test("Invoke gives the whole of what a handler streams, an HTTP answer with its metadata", async () => {
  const name = await setting.create(
    streaming(
      `stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 }); stream.write("a"); stream.end("b");`,
    ),
  );
  const { text } = await read((await invoke(name)).EventStream);
  assert.equal(text, `{"statusCode":201}${"\0".repeat(8)}ab`);
  const response = await fetch(`${setting.server.endpoint}/2015-03-31/functions/${name}/invocations`, {
    method: "POST",
    headers: { authorization: authorization("lambda") },
  });
  assert.equal(await response.text(), text);
});

test("InvokeWithResponseStream checks as Invoke does: dry run, names, types, JSON, 6 MB", async () => {
  const name = await setting.create(streaming(`stream.end(String(event.length));`));
  const dry = await invoke(name, {}, { InvocationType: "DryRun" });
  assert.deepEqual([dry.StatusCode, dry.ExecutedVersion], [204, "$LATEST"]);
  await assert.rejects(invoke(name, {}, { InvocationType: "Event" as "DryRun" }), {
    name: "ValidationException",
    message: /invocationType.*RequestResponse, DryRun|invocationType.*DryRun, RequestResponse/,
  });
  await assert.rejects(invoke("nobody"), { name: "ResourceNotFoundException" });
  await assert.rejects(invoke(name, {}, { Payload: Buffer.from("{") }), {
    name: "InvalidRequestContentException",
  });
  await assert.rejects(invoke(name, {}, { TenantId: "t" }), { name: "InvalidParameterValueException" });
  const full = await invoke(name, "x".repeat(6_291_454));
  assert.equal((await read(full.EventStream)).text, "6291454");
  await assert.rejects(invoke(name, "x".repeat(6_291_455)), (error: LambdaServiceException) => {
    assert.deepEqual([error.name, error.$metadata.httpStatusCode], ["RequestTooLargeException", 413]);
    return true;
  });
  const { Version = "" } = await setting.lambda.send(new PublishVersionCommand({ FunctionName: name }));
  assert.equal((await invoke(name, "abc", { Qualifier: Version })).ExecutedVersion, "1");
});

test("InvokeWithResponseStream asks for lambda:InvokeFunction, and across accounts for the function's policy", async () => {
  const name = await setting.create(streaming(`stream.end();`));
  const user = await makeUser(setting.server.client(), "streamer", {
    Action: "lambda:InvokeWithResponseStream",
  });
  const command = new InvokeWithResponseStreamCommand({ FunctionName: name, InvocationType: "DryRun" });
  const client = new LambdaClient(user.options);
  await assert.rejects(client.send(command), {
    name: "AccessDeniedException",
    message: /is not authorized to perform: lambda:InvokeFunction on resource/,
  });
  await user.may({ Action: "lambda:InvokeFunction" });
  assert.equal((await client.send(command)).StatusCode, 204);
  const stranger = new LambdaClient(setting.server.client({ account: "111122223333" }));
  const FunctionName = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
  await assert.rejects(stranger.send(new InvokeWithResponseStreamCommand({ FunctionName })), {
    name: "AccessDeniedException",
  });
});

test("InvokeWithResponseStream holds the function while the caller does not read, and lets it finish when the caller has gone", async () => {
  const held = socketBytesMax() + 4_000_000;
  const total = Math.ceil((held + 20_000_000) / 50_000) * 50_000;
  const name = await setting.create(
    streaming(`const piece = Buffer.alloc(50_000);
      for (let made = 0; made < ${total}; made += piece.length) { stream.write(piece); await new Promise(setImmediate); }
      await gate("sent", { method: "PUT", body: String(${total} - stream.writableLength) });
      stream.end();
      await once(stream, "finish");
      await gate("finished", { method: "PUT", body: "yes" });`),
    { MemorySize: 1_024, Timeout: 120 },
  );
  const response = await rawInvoke(name, {});
  const sent = Number(await told("sent"));
  // What the sockets between here and there hold: not what the function made.
  assert.ok(sent < held, `${sent} bytes left the function`);
  response.destroy();
  assert.equal(await told("finished"), "yes");
  const again = await read(
    (await invoke(await setting.create(streaming(`stream.end("next");`)))).EventStream,
  );
  assert.equal(again.text, "next");
});

test("InvokeWithResponseStream lets a function finish whose caller has gone before the first byte", async () => {
  const name = await setting.create(
    streaming(`await gate("begun", { method: "PUT", body: "yes" });
      while (!(await gate("gone")).ok) await sleep(10);
      stream.write("to nobody"); stream.end(); await once(stream, "finish");
      await gate("alone", { method: "PUT", body: "yes" });`),
    { Timeout: 30 },
  );
  const path = `/2021-11-15/functions/${name}/response-streaming-invocations`;
  const headers = { authorization: authorization("lambda") };
  const asking = request(`${setting.server.endpoint}${path}`, { method: "POST", headers });
  asking.on("error", () => {});
  asking.end("{}");
  await told("begun");
  asking.destroy();
  await open("gone");
  assert.equal(await told("alone"), "yes");
});

test("InvokeWithResponseStream over HTTP/2 holds a stream whose caller does not read", async (t) => {
  const total = 40_000_000;
  const name = await setting.create(
    streaming(`const piece = Buffer.alloc(50_000);
      for (let made = 0; made < ${total}; made += piece.length) { stream.write(piece); await new Promise(setImmediate); }
      await gate("sent-2", { method: "PUT", body: String(${total} - stream.writableLength) });
      stream.end();`),
    { MemorySize: 1_024, Timeout: 120 },
  );
  const session = connect(setting.server.endpoint);
  t.after(() => session.close());
  const stream = session.request({
    ":method": "POST",
    ":path": `/2021-11-15/functions/${name}/response-streaming-invocations`,
    authorization: authorization("lambda"),
  });
  stream.end("{}");
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  assert.equal(headers["content-type"], "application/vnd.amazon.eventstream");
  assert.equal(headers["x-amz-executed-version"], "$LATEST");
  const sent = Number(await told("sent-2"));
  assert.ok(sent < 10_000_000, `${sent} bytes left the function`);
  let bytes = 0;
  for await (const chunk of stream) bytes += (chunk as Buffer).length;
  assert.ok(bytes > total);
});

test("InvokeWithResponseStream has the limits of its configuration, and throttles as Invoke does", async (t) => {
  const small = await startSetting({ sandbox: "process", streamBytesMax: 100_000, concurrencyMax: 1 });
  t.after(() => small.server.stop());
  const name = await small.create(
    streaming(
      `stream.write(Buffer.alloc(event.size, "x")); if (event.wait) await sleep(60_000); stream.end();`,
    ),
    { Timeout: 2 },
  );
  const send = (event: unknown) =>
    small.lambda.send(
      new InvokeWithResponseStreamCommand({
        FunctionName: name,
        Payload: JSON.stringify(event),
        LogType: "Tail",
      }),
    );
  assert.equal((await read((await send({ size: 100_000 })).EventStream)).complete.ErrorCode, undefined);
  const above = await read((await send({ size: 100_001 })).EventStream);
  assert.equal(above.text.length, 100_000);
  assert.equal(above.complete.ErrorCode, "Function.ResponseSizeTooLarge");
  const held = await send({ size: 1, wait: true });
  await assert.rejects(send({ size: 1 }), {
    name: "TooManyRequestsException",
    Reason: "ConcurrentInvocationLimitExceeded",
  });
  assert.equal((await read(held.EventStream)).complete.ErrorCode, "Sandbox.Timedout");
});

const BOTO3 = `
import boto3, json, os, sys
client = boto3.client("lambda", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
answer = client.invoke_with_response_stream(FunctionName=sys.argv[1], Payload=b'{"fail": true}', LogType="Tail")
events = list(answer["EventStream"])
print(json.dumps([answer["StatusCode"], answer["ExecutedVersion"],
  b"".join(e["PayloadChunk"]["Payload"] for e in events if "PayloadChunk" in e).decode(),
  events[-1]["InvokeComplete"]["ErrorCode"], json.loads(events[-1]["InvokeComplete"]["ErrorDetails"])["errorMessage"]]))
`;

test("InvokeWithResponseStream by boto3", async (t) => {
  const run = promisify(execFile);
  const probe = `import boto3; boto3.client("lambda", region_name="us-east-1").invoke_with_response_stream`;
  const missing = await run("python3", ["-c", probe]).then(
    () => false,
    () => true,
  );
  if (missing) return t.skip("no boto3 of 2023 or later for this machine's python3: pip install boto3");
  const name = await setting.create(
    streaming(`stream.write("before"); await sleep(1); throw new Error("boom");`),
  );
  const { stdout } = await run("python3", ["-c", BOTO3, name], {
    env: {
      PATH: process.env["PATH"],
      HOME: setting.server.dataDir,
      AWS_ENDPOINT_URL: setting.server.endpoint,
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "000000000000",
      AWS_SECRET_ACCESS_KEY: "test",
    },
  });
  assert.deepEqual(JSON.parse(stdout), [200, "$LATEST", "before", "Error", "boom"]);
});
