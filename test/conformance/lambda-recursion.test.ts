/** Recursive loops end after sixteen runs, whichever way they go round, unless the function is told to go on. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  GetFunctionRecursionConfigCommand,
  InvokeCommand,
  PutFunctionEventInvokeConfigCommand,
  PutFunctionRecursionConfigCommand,
} from "@aws-sdk/client-lambda";
import type { LambdaClient, LambdaServiceException } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutBucketNotificationConfigurationCommand, S3Client } from "@aws-sdk/client-s3";
import { zipOf } from "../harness/zip.ts";
import { ACCOUNT, ECHO, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

const RUNS_MAX = 16;
/** Says its trace header, and calls itself, or whom the event names, with the SDK of the runtime. */
const CALLS_ITSELF = `import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
const lambda = new LambdaClient({});
export const handler = async (event, context) => {
  console.log("run", event.n, process.env._X_AMZN_TRACE_ID);
  if (event.n === event.last) return;
  await lambda.send(new InvokeCommand({ FunctionName: context.functionName, InvocationType: "Event",
    Payload: JSON.stringify({ ...event, n: event.n + 1 }) }));
};`;
const CALLS_ITSELF_IN_PYTHON = `import boto3, json, os
client = boto3.client("lambda")
def handler(event, context):
    print("run", event["n"], os.environ["_X_AMZN_TRACE_ID"])
    client.invoke(FunctionName=context.function_name, InvocationType="Event",
                  Payload=json.dumps({"n": event["n"] + 1}))
`;
const WRITES_TO_ITS_BUCKET = `import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
const s3 = new S3Client({ forcePathStyle: true });
export const handler = async (event) => {
  const n = event.Records ? Number(event.Records[0].s3.object.key) : 0;
  console.log("run", n + 1, process.env._X_AMZN_TRACE_ID);
  await s3.send(new PutObjectCommand({ Bucket: "loop", Key: String(n + 1), Body: "again" }));
};`;
const ANSWERS = `let runs = 0;
export const handler = async () => console.log("run", ++runs, process.env._X_AMZN_TRACE_ID);`;
const SINK = `export const handler = async (record) => console.log("record", JSON.stringify(record), "end");`;

let setting: Setting;
let lambda: LambdaClient;

before(async () => {
  setting = await startSetting({ logLevel: "error" });
  lambda = setting.lambda;
  await setting.iam.send(
    new PutRolePolicyCommand({
      RoleName: "execution",
      PolicyName: "loop",
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: ["lambda:*", "s3:*"], Resource: "*" }],
      }),
    }),
  );
});
after(async () => setting?.server.stop());

const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`;
const onFailure = (Destination: string) => ({ OnFailure: { Destination } });

async function begin(FunctionName: string, event: object): Promise<void> {
  await lambda.send(
    new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: JSON.stringify(event) }),
  );
}

/** The function's log once it has what `enough` looks for. */
async function logOf(name: string, enough: (log: string) => boolean): Promise<string> {
  const logs = new CloudWatchLogsClient(setting.server.client());
  let log = "";
  for (let tries = 0; tries < 600; tries++) {
    const found = await logs
      .send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}` }))
      .catch(() => undefined);
    log = found?.events?.map((one) => one.message).join("") ?? "";
    if (enough(log)) return log;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return assert.fail(`the log of ${name}:\n${log}`);
}

/** The runs in a log, each with its trace header. */
const runsIn = (log: string) => [...log.matchAll(/run \d+ (Root=\S+)/g)].map((match) => match[1] ?? "");

/** Begins a loop whose dropped event goes to a sink; answers the trace headers of its runs once it has ended. */
async function loop(name: string, event: object): Promise<string[]> {
  const sink = await setting.create(SINK);
  await lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: name,
      DestinationConfig: onFailure(arnOf(sink)),
    }),
  );
  await begin(name, event);
  const log = await logOf(sink, (text) => text.includes(" end"));
  const record = JSON.parse(/record (.*) end/.exec(log)?.[1] ?? "") as Record<string, unknown>;
  const { condition, approximateInvokeCount } = record["requestContext"] as Record<string, unknown>;
  assert.deepEqual([condition, approximateInvokeCount], ["RetriesExhausted", 0]);
  assert.equal(record["responsePayload"], undefined, "the dropped event did not run");
  return runsIn(await logOf(name, (text) => runsIn(text).length >= RUNS_MAX));
}

test("a function that calls itself through the JavaScript SDK runs sixteen times; called once more in that chain it is refused", async () => {
  const name = await setting.create(CALLS_ITSELF);
  const headers = await loop(name, { n: 1 });
  assert.equal(headers.length, RUNS_MAX);
  assert.equal(new Set(headers.map((one) => /Root=([^;]+)/.exec(one)?.[1])).size, 1, "one trace");
  const last = headers.find((one) => one.includes(`Lineage=${RUNS_MAX}:`)) ?? assert.fail();
  const again = async () => {
    const command = new InvokeCommand({ FunctionName: name, Payload: JSON.stringify({ n: 1, last: 1 }) });
    command.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["x-amzn-trace-id"] = last;
        return next(args);
      },
      { step: "build" },
    );
    return lambda.send(command);
  };
  await assert.rejects(again(), (error: LambdaServiceException) => {
    assert.equal(error.name, "RecursiveInvocationException");
    assert.equal(error.$metadata.httpStatusCode, 400);
    return true;
  });
  const metrics = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
  assert.match(
    metrics,
    new RegExp(`^aws_lambda_recursive_invocations_dropped_total\\{.*resource="${name}"\\} 2$`, "m"),
  );
  await allow(name);
  assert.equal((await again()).StatusCode, 200);
});

async function allow(FunctionName: string): Promise<void> {
  await lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: "Allow" }));
}

test("PutFunctionRecursionConfig Allow lets a loop go on", async () => {
  const name = await setting.create(CALLS_ITSELF);
  await allow(name);
  await begin(name, { n: 1, last: RUNS_MAX + 4 });
  await logOf(name, (text) => runsIn(text).length === RUNS_MAX + 4);
});

const hostPython = spawnSync("python3", [
  "-c",
  "import boto3, sys; print('python%d.%d' % sys.version_info[:2])",
]);

test(
  "a function that calls itself through boto3 runs sixteen times",
  {
    skip:
      hostPython.status === 0 ? false : "the host has no python3 with boto3; install Debian's python3-boto3",
  },
  async () => {
    const name = await setting.create("", {
      Runtime: hostPython.stdout.toString().trim() as "python3.11",
      Handler: "index.handler",
      Code: { ZipFile: await zipOf({ "index.py": CALLS_ITSELF_IN_PYTHON }) },
      Timeout: 30,
    });
    assert.equal((await loop(name, { n: 1 })).length, RUNS_MAX);
  },
);

test("a function that writes to the bucket that calls it runs sixteen times", async () => {
  const s3 = new S3Client(setting.server.client());
  const name = await setting.create(WRITES_TO_ITS_BUCKET);
  await s3.send(new CreateBucketCommand({ Bucket: "loop" }));
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: name,
      StatementId: "bucket",
      Action: "lambda:InvokeFunction",
      Principal: "s3.amazonaws.com",
    }),
  );
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: "loop",
      NotificationConfiguration: {
        LambdaFunctionConfigurations: [{ LambdaFunctionArn: arnOf(name), Events: ["s3:ObjectCreated:*"] }],
      },
    }),
  );
  assert.equal((await loop(name, {})).length, RUNS_MAX);
});

test("two functions that are each other's destination run sixteen times each", async () => {
  const [first, second] = [await setting.create(ANSWERS), await setting.create(ANSWERS)];
  const onSuccess = (FunctionName: string, to: string) =>
    lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName,
        DestinationConfig: { OnSuccess: { Destination: arnOf(to) } },
      }),
    );
  await onSuccess(first, second);
  await onSuccess(second, first);
  await begin(first, {});
  await logOf(second, (text) => runsIn(text).length >= RUNS_MAX);
  // Nothing tells that nothing comes any more: another chain shows that the queue has gone on.
  const probe = await setting.create(ANSWERS);
  await begin(probe, {});
  await logOf(probe, (text) => runsIn(text).length === 1);
  for (const name of [first, second]) assert.equal(runsIn(await logOf(name, () => true)).length, RUNS_MAX);
});

test("GetFunctionRecursionConfig answers Terminate until something else is put", async () => {
  const FunctionName = await setting.create(ECHO);
  const get = () => lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName }));
  assert.equal((await get()).RecursiveLoop, "Terminate");
  await allow(FunctionName);
  assert.equal((await get()).RecursiveLoop, "Allow");
  await lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: "Terminate" }));
  assert.equal((await get()).RecursiveLoop, "Terminate");
  const missing = { name: "ResourceNotFoundException" };
  await assert.rejects(
    lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName: "nobody" })),
    missing,
  );
  await assert.rejects(allow("nobody"), missing);
  await assert.rejects(
    lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: "Perhaps" as "Allow" })),
    { name: "ValidationException" },
  );
});
