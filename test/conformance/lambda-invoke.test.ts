/** Invoke: synchronous, dry, with logs, with failures, across accounts. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { AddPermissionCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { LambdaServiceException } from "@aws-sdk/client-lambda";
import { zipOf } from "../harness/zip.ts";
import { ACCOUNT, ECHO, makeRole, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
let echo: string;

before(async () => {
  setting = await startSetting();
  echo = await setting.create(ECHO, { FunctionName: "echo" });
});
after(async () => setting?.server.stop());

const AUTHORIZATION =
  "AWS4-HMAC-SHA256 Credential=000000000000/20261123/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0";

interface Echo {
  event: unknown;
  arn: string;
  version: string;
  requestId: string;
  client?: unknown;
}

test("Invoke passes the event and answers the result, its version and its request id", async () => {
  const answer = await setting.lambda.send(
    new InvokeCommand({ FunctionName: echo, Payload: JSON.stringify({ a: [1, "ü€😀"] }) }),
  );
  assert.equal(answer.StatusCode, 200);
  assert.equal(answer.ExecutedVersion, "$LATEST");
  assert.equal(answer.FunctionError, undefined);
  const value = JSON.parse(answer.Payload?.transformToString() ?? "") as Echo;
  assert.deepEqual(value.event, { a: [1, "ü€😀"] });
  assert.equal(value.arn, `arn:aws:lambda:us-east-1:${ACCOUNT}:function:echo`);
  assert.equal(value.version, "$LATEST");
  assert.equal(value.requestId, answer.$metadata.requestId);
});

test("Invoke without a body passes an empty object", async () => {
  assert.deepEqual(((await setting.invoke(echo)).value as Echo).event, {});
});

test("Invoke names the function as it was called", async () => {
  const { value, version } = await setting.invoke(`${ACCOUNT}:function:echo:$LATEST`, {});
  assert.match((value as Echo).arn, /:function:echo:\$LATEST$/);
  assert.equal(version, "$LATEST");
});

test("Invoke as a dry run checks and runs nothing", async () => {
  const answer = await setting.lambda.send(
    new InvokeCommand({ FunctionName: echo, InvocationType: "DryRun" }),
  );
  assert.equal(answer.StatusCode, 204);
  assert.equal(answer.Payload?.length ?? 0, 0);
  await assert.rejects(setting.invoke("nobody", {}, { InvocationType: "DryRun" }), {
    name: "ResourceNotFoundException",
    message: `Function not found: arn:aws:lambda:us-east-1:${ACCOUNT}:function:nobody`,
  });
});

test("Invoke refuses what is not JSON, with AWS's words and the place", async () => {
  await assert.rejects(setting.invoke(echo, undefined, { Payload: Buffer.from("{'a': 1}") }), {
    name: "InvalidRequestContentException",
    message:
      /^Could not parse request body into json: Could not parse payload into json: Unexpected character \('''/,
  });
  await assert.rejects(setting.invoke(echo, undefined, { Payload: Buffer.from([0x22, 0xff, 0x22]) }), {
    name: "InvalidRequestContentException",
  });
});

const ofSize = (bytes: number) => Buffer.from(`"${"x".repeat(bytes - 2)}"`);

const tooLarge = (max: number) => (error: LambdaServiceException) =>
  error.name === "RequestTooLargeException" &&
  error.$metadata.httpStatusCode === 413 &&
  error.message === `Request must be smaller than ${max} bytes for the InvokeFunction operation`;

test("Invoke takes 6 MB and refuses more; as an event it takes 1 MB", async () => {
  const length = await setting.create("export const handler = async (event) => event.length;");
  const full = await setting.invoke(length, undefined, { Payload: ofSize(6_291_456) });
  assert.equal(full.value, 6_291_454);
  await assert.rejects(
    setting.invoke(length, undefined, { Payload: ofSize(6_291_457) }),
    tooLarge(6_291_456),
  );
  const event = { InvocationType: "Event" } as const;
  await assert.rejects(
    setting.invoke(length, undefined, { ...event, Payload: ofSize(1_048_577) }),
    tooLarge(1_048_576),
  );
  await setting.invoke(length, undefined, { ...event, Payload: ofSize(1_048_576) });
});

test("Invoke answers the log's tail on request", async () => {
  const name = await setting.create(
    `export const handler = async () => { console.log("a line"); return 1; };`,
  );
  const { log } = await setting.invoke(name, {}, { LogType: "Tail" });
  assert.match(log, /START RequestId: [0-9a-f-]{36} Version: \$LATEST/);
  assert.match(log, /a line/);
  assert.match(log, /REPORT RequestId: .*Billed Duration: \d+ ms\tMemory Size: 128 MB/);
  assert.equal((await setting.invoke(name, {})).log, "");
});

test("Invoke of a function with JSON logs writes JSON", async () => {
  const name = await setting.create(
    `export const handler = async () => { console.debug("low"); console.warn("high"); };`,
    {
      LoggingConfig: { LogFormat: "JSON", ApplicationLogLevel: "WARN", SystemLogLevel: "DEBUG" },
    },
  );
  const { log } = await setting.invoke(name, {}, { LogType: "Tail" });
  const lines = log
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type?: string; level?: string; message?: string });
  assert.ok(
    lines.some((line) => line.type === "platform.start"),
    log,
  );
  assert.deepEqual(
    lines.filter((line) => line.level !== undefined).map((line) => [line.level, line.message]),
    [["WARN", "high"]],
  );
});

test("Invoke carries the trace through, and adds the function to its lineage", async () => {
  const name = await setting.create("export const handler = async () => process.env._X_AMZN_TRACE_ID;");
  const made = (await setting.invoke(name)).value as string;
  assert.match(made, /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0/);
  const given = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
  const response = await fetch(`${setting.server.endpoint}/2015-03-31/functions/${name}/invocations`, {
    method: "POST",
    headers: { "x-amzn-trace-id": given, authorization: AUTHORIZATION },
  });
  const carried = response.headers.get("x-amzn-trace-id") ?? "";
  assert.equal(await response.json(), carried);
  assert.equal(carried.slice(0, given.length), given);
  assert.match(carried.slice(given.length), /^;Lineage=1:[0-9a-f]{8}:0$/);
});

test("Invoke answers 200 with the error's document when the function fails", async () => {
  const name = await setting.create(`export const handler = async () => { throw new TypeError("broken"); };`);
  const answer = await setting.lambda.send(new InvokeCommand({ FunctionName: name }));
  assert.equal(answer.$metadata.httpStatusCode, 200);
  assert.equal(answer.FunctionError, "Unhandled");
  const value = JSON.parse(answer.Payload?.transformToString() ?? "") as Record<string, unknown>;
  assert.equal(value["errorType"], "TypeError");
  assert.equal(value["errorMessage"], "broken");
  assert.ok(Array.isArray(value["trace"]));
});

test("Invoke ends a function at its timeout", async () => {
  const name = await setting.create(
    "export const handler = () => new Promise(() => setInterval(() => {}, 1000));",
    {
      Timeout: 1,
    },
  );
  const { error, value } = await setting.invoke(name, {});
  assert.equal(error, "Unhandled");
  assert.match((value as { errorMessage: string }).errorMessage, /Task timed out after 1\.00 seconds/);
});

test("Invoke hands over the client context, and refuses one that is none", async () => {
  const context = Buffer.from(JSON.stringify({ client: { appTitle: "t" }, custom: { k: "v" } })).toString(
    "base64",
  );
  const { value } = await setting.invoke(echo, {}, { ClientContext: context });
  assert.deepEqual((value as Echo).client, { client: { appTitle: "t" }, custom: { k: "v" } });
  for (const bad of ["%%%", Buffer.from("not json").toString("base64"), Buffer.from("[]").toString("base64")])
    await assert.rejects(setting.invoke(echo, {}, { ClientContext: bad }), {
      name: "InvalidRequestContentException",
      message: "Client context must be a valid Base64-encoded JSON object.",
    });
  await assert.rejects(
    setting.invoke(echo, {}, { ClientContext: "A".repeat(3_584) }),
    /no more than 3583 bytes/,
  );
});

test("Invoke refuses durable executions and tenants by name", async () => {
  await assert.rejects(setting.invoke(echo, {}, { DurableExecutionName: "d" }), {
    name: "NotImplemented",
    message: /DurableExecutionName/,
  });
  await assert.rejects(setting.invoke(echo, {}, { TenantId: "t" }), {
    name: "InvalidParameterValueException",
  });
});

test("Invoke runs the newest Python of this machine; one that is missing is refused with what to install", async (t) => {
  const ZipFile = await zipOf({ "index.py": "def handler(event, context):\n    return {'got': event}\n" });
  for (const minor of [15, 14, 13, 12, 11, 10]) {
    const Runtime = `python3.${minor}` as "python3.11";
    try {
      const name = await setting.create("", { Runtime, Handler: "index.handler", Code: { ZipFile } });
      assert.deepEqual((await setting.invoke(name, { a: 1 })).value, { got: { a: 1 } });
      return;
    } catch (error) {
      assert.match(String(error), new RegExp(`${Runtime}.*not on this machine: install Python 3\\.${minor}`));
    }
  }
  t.skip("no Python on this machine: only the refusals were tested");
});

test("Invoke runs a Ruby of this machine; one that is missing is refused with what to install", async (t) => {
  const ZipFile = await zipOf({ "index.rb": "def handler(event:, context:) = { got: event }\n" });
  for (const version of ["4.0", "3.4", "3.3", "3.2", "3.1"]) {
    const Runtime = `ruby${version}` as "ruby3.4";
    try {
      const name = await setting.create("", { Runtime, Handler: "index.handler", Code: { ZipFile } });
      assert.deepEqual((await setting.invoke(name, { a: 1 })).value, { got: { a: 1 } });
      return;
    } catch (error) {
      assert.match(String(error), new RegExp(`${Runtime}.*not on this machine: install Ruby ${version}`));
    }
  }
  t.skip("no Ruby on this machine: only the refusals were tested");
});

test("Invoke from another account needs the function's policy", async () => {
  const other = new LambdaClient(setting.server.client({ account: "111122223333" }));
  const FunctionName = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:echo`;
  await assert.rejects(other.send(new InvokeCommand({ FunctionName })), {
    name: "AccessDeniedException",
    message: /is not authorized to perform: lambda:InvokeFunction on resource/,
  });
  await setting.lambda.send(
    new AddPermissionCommand({
      FunctionName: echo,
      StatementId: "other-account",
      Action: "lambda:InvokeFunction",
      Principal: "111122223333",
    }),
  );
  assert.equal((await other.send(new InvokeCommand({ FunctionName }))).StatusCode, 200);
});

test("logs go to the function's group, to a named one, and nowhere without the permission", async () => {
  const logs = new CloudWatchLogsClient(setting.server.client());
  const lines = async (logGroupName: string) =>
    (await logs.send(new FilterLogEventsCommand({ logGroupName }))).events?.map((one) => one.message ?? "") ??
    [];
  const source = `export const handler = async () => { console.log("logged line"); };`;
  const ordinary = await setting.create(source);
  const named = await setting.create(source, { LoggingConfig: { LogGroup: "/my/own" } });
  const silent = await setting.create(source, {
    Role: await makeRole(setting.iam, "silent", "lambda.amazonaws.com", false),
  });
  await setting.iam.send(
    new PutRolePolicyCommand({
      RoleName: (await makeRole(setting.iam, "writer", "lambda.amazonaws.com", false)).split("/").at(-1),
      PolicyName: "logs",
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
            Resource: "arn:aws:logs:*:*:log-group:/made/before:*",
          },
        ],
      }),
    }),
  );
  await logs.send(new CreateLogGroupCommand({ logGroupName: "/made/before" }));
  const writer = await setting.create(source, {
    Role: `arn:aws:iam::${ACCOUNT}:role/writer`,
    LoggingConfig: { LogGroup: "/made/before" },
  });
  for (const name of [ordinary, named, silent, writer])
    assert.equal((await setting.invoke(name)).error, undefined);
  const shows = async (group: string) => {
    for (let tries = 0; tries < 100; tries++) {
      const found = await lines(group).catch(() => []);
      if (found.some((line) => line.startsWith("REPORT"))) return found.join("");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return assert.fail(`no log in ${group}`);
  };
  assert.match(await shows(`/aws/lambda/${ordinary}`), /logged line/);
  assert.match(await shows("/my/own"), /logged line/);
  assert.match(await shows("/made/before"), /logged line/);
  const { logStreams } = await logs.send(
    new DescribeLogStreamsCommand({ logGroupName: `/aws/lambda/${ordinary}` }),
  );
  assert.match(logStreams?.[0]?.logStreamName ?? "", /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
  await assert.rejects(lines(`/aws/lambda/${silent}`), { name: "ResourceNotFoundException" });
});

test("lines written in one go are all kept, in order, however many", async () => {
  const client = new CloudWatchLogsClient(setting.server.client());
  const count = 60_000;
  const name = await setting.create(
    `const text = Array.from({ length: ${count} }, (_, n) => "line " + n + "\\n").join("");
    export const handler = () => new Promise((resolve) => process.stdout.write(text, () => resolve()));`,
  );
  assert.equal((await setting.invoke(name)).error, undefined);
  const read = async () => {
    const messages: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(
        new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}`, nextToken }),
      );
      for (const { message = "" } of page.events ?? []) messages.push(message);
      ({ nextToken } = page);
    } while (nextToken !== undefined);
    return messages;
  };
  let messages: string[] = [];
  for (let tries = 0; tries < 50 && !messages.at(-1)?.startsWith("REPORT "); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    messages = await read().catch(() => []);
  }
  const written = messages.filter((message) => message.startsWith("line "));
  assert.equal(written.length, count);
  assert.equal(
    written.findIndex((message, n) => message !== `line ${n}\n`),
    -1,
  );
});
