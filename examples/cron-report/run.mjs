/** Deploys a function and a schedule that calls it each morning, lets a day pass, and reads the report. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateScheduleCommand, DeleteScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { ZipFile } from "yazl";

const AMOUNTS = [12, 30, 7];
const DAY_MS = 86_400_000;

/**
 * @param options Of SDK clients: endpoint, region, credentials
 * @param runtime A Node.js of Lambda's that the server has
 * @returns What to tell: one line
 */
export async function run(options, runtime) {
  const clients = {
    iam: new IAMClient(options),
    lambda: new LambdaClient(options),
    s3: new S3Client({ ...options, forcePathStyle: true }),
    scheduler: new SchedulerClient(options),
  };
  const name = `report-${Math.random().toString(36).slice(2, 8)}`;
  try {
    await deploy(clients, name, runtime);
    for (const [index, amount] of AMOUNTS.entries())
      await clients.s3.send(
        new PutObjectCommand({ Bucket: name, Key: `orders/${index}.json`, Body: JSON.stringify({ amount }) }),
      );
    return await letADayPass(clients, name, options.endpoint);
  } finally {
    await remove(clients, name);
    for (const client of Object.values(clients)) client.destroy();
  }
}

async function deploy({ iam, lambda, s3, scheduler }, name, Runtime) {
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  const bucket = `arn:aws:s3:::${name}`;
  const Role = await createRole(iam, name, "lambda.amazonaws.com", [
    { Effect: "Allow", Action: "s3:ListBucket", Resource: bucket },
    { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: `${bucket}/*` },
  ]);
  const zip = new ZipFile();
  zip.addBuffer(await readFile(new URL("function/report.mjs", import.meta.url)), "index.mjs");
  zip.end();
  const Code = { ZipFile: await buffer(zip.outputStream) };
  const { FunctionArn } = await lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role,
      Runtime,
      Handler: "index.handler",
      Code,
      Timeout: 30,
    }),
  );
  await waitUntilFunctionActiveV2(
    { client: lambda, maxWaitTime: 60, minDelay: 0.1, maxDelay: 1 },
    { FunctionName: name },
  );
  const RoleArn = await createRole(iam, `${name}-schedule`, "scheduler.amazonaws.com", [
    { Effect: "Allow", Action: "lambda:InvokeFunction", Resource: FunctionArn },
  ]);
  const Input = JSON.stringify({ bucket: name, scheduledAt: "<aws.scheduler.scheduled-time>" });
  await scheduler.send(
    new CreateScheduleCommand({
      Name: name,
      ScheduleExpression: "cron(0 6 * * ? *)",
      ScheduleExpressionTimezone: "Europe/Berlin",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: { Arn: FunctionArn, RoleArn, Input },
    }),
  );
}

async function createRole(iam, RoleName, service, statements) {
  const trust = { Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" };
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy([trust]) }),
  );
  await iam.send(
    new PutRolePolicyCommand({ RoleName, PolicyName: "own", PolicyDocument: policy(statements) }),
  );
  return Role.Arn;
}

function policy(Statement) {
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

async function letADayPass({ s3 }, Bucket, endpoint) {
  const answer = await fetch(`${endpoint}/_lambent/clock`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ advance: DAY_MS }),
  });
  if (!answer.ok) throw new Error(`the clock of ${endpoint} cannot be moved: ${await answer.text()}`);
  const { now } = await answer.json();
  // Six in the morning in Berlin is five or four by UTC: on the day that was reached, or on the one before.
  const days = [now, new Date(Date.parse(now) - DAY_MS).toISOString()].map((day) => day.slice(0, 10));
  const { Contents = [] } = await untilThere(s3, Bucket);
  const [{ Key }] = Contents;
  assert.ok(
    days.some((day) => Key === `reports/${day}.json`),
    Key,
  );
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const { scheduledAt, ...report } = JSON.parse(await Body.transformToString());
  assert.deepEqual(report, { orders: AMOUNTS.length, total: AMOUNTS.reduce((sum, amount) => sum + amount) });
  return `report of ${scheduledAt}: ${report.orders} orders, ${report.total} in all`;
}

/** The function is called asynchronously. */
async function untilThere(s3, Bucket) {
  for (let left = 100; ; left--) {
    const found = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "reports/" }));
    if (found.KeyCount > 0 || left === 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What was made, as far as it was. */
async function remove({ iam, lambda, s3, scheduler }, name) {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: name })).catch(() => ({}));
  await Promise.allSettled([
    scheduler.send(new DeleteScheduleCommand({ Name: name })),
    lambda.send(new DeleteFunctionCommand({ FunctionName: name })),
    ...Contents.map(({ Key }) => s3.send(new DeleteObjectCommand({ Bucket: name, Key }))),
    ...[name, `${name}-schedule`].map((RoleName) =>
      iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "own" })),
    ),
  ]);
  await Promise.allSettled([
    s3.send(new DeleteBucketCommand({ Bucket: name })),
    ...[name, `${name}-schedule`].map((RoleName) => iam.send(new DeleteRoleCommand({ RoleName }))),
  ]);
}
