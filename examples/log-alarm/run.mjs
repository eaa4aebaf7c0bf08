/** Deploys two functions and a subscription filter between them, makes an error, and waits for its alarm. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  PutSubscriptionFilterCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { ZipFile } from "yazl";

const BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
const ORDERS = [
  { order: "A-1", amount: 12 },
  { order: "A-2", amount: -3 },
  { order: "A-3", amount: 7 },
];

/**
 * @param options Of SDK clients: endpoint, region, credentials
 * @param runtime A Node.js of Lambda's that the server has
 * @returns What to tell: one line
 */
export async function run(options, runtime) {
  const clients = {
    iam: new IAMClient(options),
    lambda: new LambdaClient(options),
    logs: new CloudWatchLogsClient(options),
    sqs: new SQSClient(options),
  };
  const suffix = Math.random().toString(36).slice(2, 8);
  const app = { shop: `shop-${suffix}`, alarm: `alarm-${suffix}`, role: `log-alarm-${suffix}`, runtime };
  try {
    await deploy(clients, app);
    return await sell(clients, app);
  } finally {
    await remove(clients, app);
    for (const client of Object.values(clients)) client.destroy();
  }
}

async function deploy({ iam, lambda, logs, sqs }, app) {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: app.alarm }));
  app.queue = QueueUrl;
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  const trust = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName: app.role, AssumeRolePolicyDocument: policy(trust) }),
  );
  await iam.send(new AttachRolePolicyCommand({ RoleName: app.role, PolicyArn: BASIC }));
  const PolicyDocument = policy({
    Effect: "Allow",
    Action: ["sqs:GetQueueUrl", "sqs:SendMessage"],
    Resource: Attributes.QueueArn,
  });
  await iam.send(new PutRolePolicyCommand({ RoleName: app.role, PolicyName: "alarms", PolicyDocument }));
  await createFunction(lambda, app.shop, "shop", Role.Arn, app.runtime, {});
  const arn = await createFunction(lambda, app.alarm, "alarm", Role.Arn, app.runtime, { QUEUE: app.alarm });

  const logGroupName = `/aws/lambda/${app.shop}`;
  const [, , , region, account] = arn.split(":");
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: app.alarm,
      StatementId: "logs",
      Action: "lambda:InvokeFunction",
      Principal: "logs.amazonaws.com",
      SourceArn: `arn:aws:logs:${region}:${account}:log-group:${logGroupName}:*`,
    }),
  );
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(
    new PutSubscriptionFilterCommand({
      logGroupName,
      filterName: "errors",
      filterPattern: String.raw`"\"level\":\"error\""`,
      destinationArn: arn,
    }),
  );
}

function policy(statement) {
  return JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
}

async function createFunction(lambda, FunctionName, file, Role, Runtime, Variables) {
  const zip = new ZipFile();
  zip.addBuffer(await readFile(new URL(`function/${file}.mjs`, import.meta.url)), "index.mjs");
  zip.end();
  const { FunctionArn } = await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role,
      Runtime,
      Handler: "index.handler",
      Code: { ZipFile: await buffer(zip.outputStream) },
      Environment: { Variables },
      Timeout: 30,
    }),
  );
  await waitUntilFunctionActiveV2(
    { client: lambda, maxWaitTime: 60, minDelay: 0.1, maxDelay: 1 },
    { FunctionName },
  );
  return FunctionArn;
}

async function sell({ lambda, sqs }, app) {
  for (const order of ORDERS)
    await lambda.send(new InvokeCommand({ FunctionName: app.shop, Payload: JSON.stringify(order) }));
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: app.queue, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 }),
  );
  const alarms = Messages.map(({ Body }) => JSON.parse(Body));
  assert.deepEqual(
    alarms.map(({ order, message, logGroup }) => ({ order, message, logGroup })),
    [{ order: "A-2", message: "order A-2 has the amount -3", logGroup: `/aws/lambda/${app.shop}` }],
  );
  return `alarm "${alarms[0].message}", ${Date.now() - alarms[0].timestamp} ms after the log line`;
}

/** What was made, as far as it was. */
async function remove({ iam, lambda, logs, sqs }, { shop, alarm, role, queue }) {
  const RoleName = role;
  await Promise.allSettled([
    lambda.send(new DeleteFunctionCommand({ FunctionName: shop })),
    lambda.send(new DeleteFunctionCommand({ FunctionName: alarm })),
    sqs.send(new DeleteQueueCommand({ QueueUrl: queue })),
    iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn: BASIC })),
    iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "alarms" })),
  ]);
  await Promise.allSettled([
    iam.send(new DeleteRoleCommand({ RoleName })),
    ...[shop, alarm].map((name) =>
      logs.send(new DeleteLogGroupCommand({ logGroupName: `/aws/lambda/${name}` })),
    ),
  ]);
}
