/** Deploys a bucket, a topic, two queues and two functions, puts letters, and waits until both have seen each. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
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
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  DeleteEventSourceMappingCommand,
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
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateTopicCommand, DeleteTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SQSClient,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import { ZipFile } from "yazl";

const QUEUE_ROLE = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole";
const FUNCTIONS = ["count", "archive"];
const LETTERS = {
  "ada.txt": "The engine weaves algebraical patterns",
  "emmy.txt": "My methods are really methods of working and thinking",
  "grace.txt": "It is easier to ask forgiveness",
};
const WAIT_MS_MAX = 60_000;

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
    sns: new SNSClient(options),
    sqs: new SQSClient(options),
  };
  const suffix = Math.random().toString(36).slice(2, 8);
  const app = {
    name: `fan-out-${suffix}`,
    letters: `letters-${suffix}`,
    results: `results-${suffix}`,
    runtime,
    queues: [],
    mappings: [],
  };
  try {
    await deploy(clients, app);
    return await write(clients, app);
  } finally {
    await remove(clients, app);
    for (const client of Object.values(clients)) client.destroy();
  }
}

async function deploy(clients, app) {
  const { s3, sns } = clients;
  for (const Bucket of [app.letters, app.results]) await s3.send(new CreateBucketCommand({ Bucket }));
  const { TopicArn } = await sns.send(
    new CreateTopicCommand({
      Name: app.name,
      Attributes: {
        Policy: policy({
          Effect: "Allow",
          Principal: { Service: "s3.amazonaws.com" },
          Action: "sns:Publish",
          Resource: "*",
          Condition: { ArnLike: { "aws:SourceArn": `arn:aws:s3:::${app.letters}` } },
        }),
      },
    }),
  );
  app.topic = TopicArn;
  const role = await makeRole(clients, app);
  for (const name of FUNCTIONS) await deployReader(clients, app, name, role);
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: app.letters,
      NotificationConfiguration: { TopicConfigurations: [{ TopicArn, Events: ["s3:ObjectCreated:*"] }] },
    }),
  );
}

async function makeRole({ iam }, { name, letters, results }) {
  const trust = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: policy(trust) }),
  );
  await iam.send(new AttachRolePolicyCommand({ RoleName: name, PolicyArn: QUEUE_ROLE }));
  const PolicyDocument = policy(
    { Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${letters}/*` },
    { Effect: "Allow", Action: "s3:PutObject", Resource: `arn:aws:s3:::${results}/*` },
  );
  await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: "letters", PolicyDocument }));
  return Role.Arn;
}

/** A queue that the topic sends to, and a function that reads it. */
async function deployReader({ lambda, sns, sqs }, app, name, Role) {
  const QueueName = `${app.name}-${name}`;
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
  app.queues.push(QueueUrl);
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  const Policy = policy({
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: Attributes.QueueArn,
    Condition: { ArnEquals: { "aws:SourceArn": app.topic } },
  });
  await sqs.send(
    new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy, VisibilityTimeout: "60" } }),
  );
  await sns.send(
    new SubscribeCommand({
      TopicArn: app.topic,
      Protocol: "sqs",
      Endpoint: Attributes.QueueArn,
      Attributes: { RawMessageDelivery: "true" },
    }),
  );
  const zip = new ZipFile();
  zip.addBuffer(await readFile(new URL(`function/${name}.mjs`, import.meta.url)), "index.mjs");
  zip.end();
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: QueueName,
      Role,
      Runtime: app.runtime,
      Handler: "index.handler",
      Code: { ZipFile: await buffer(zip.outputStream) },
      Environment: { Variables: { BUCKET: app.results } },
      Timeout: 30,
    }),
  );
  await waitUntilFunctionActiveV2(
    { client: lambda, maxWaitTime: 60, minDelay: 0.1, maxDelay: 1 },
    { FunctionName: QueueName },
  );
  const { UUID } = await lambda.send(
    new CreateEventSourceMappingCommand({ FunctionName: QueueName, EventSourceArn: Attributes.QueueArn }),
  );
  app.mappings.push(UUID);
}

function policy(...Statement) {
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

async function write({ s3 }, { letters, results }) {
  for (const [Key, Body] of Object.entries(LETTERS))
    await s3.send(new PutObjectCommand({ Bucket: letters, Key, Body }));
  const expected = Object.keys(LETTERS).flatMap((key) => [`archive/${key}`, `words/${key}`]);
  const keys = async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: results }));
    return Contents.map(({ Key }) => Key);
  };
  for (const end = Date.now() + WAIT_MS_MAX; (await keys()).length < expected.length; await sleep(100))
    assert.ok(Date.now() < end, `only ${await keys()}`);
  assert.deepEqual((await keys()).toSorted(), expected.toSorted());
  const read = async (Key) =>
    (await s3.send(new GetObjectCommand({ Bucket: results, Key }))).Body.transformToString();
  let sum = 0;
  for (const [key, text] of Object.entries(LETTERS)) {
    assert.equal(await read(`archive/${key}`), text);
    sum += JSON.parse(await read(`words/${key}`)).words;
  }
  return `${Object.keys(LETTERS).length} letters archived, ${sum} words counted`;
}

/** What was made, as far as it was. */
async function remove({ iam, lambda, s3, sns, sqs }, { name, letters, results, topic, queues, mappings }) {
  await Promise.allSettled([
    ...mappings.map((UUID) => lambda.send(new DeleteEventSourceMappingCommand({ UUID }))),
    sns.send(new DeleteTopicCommand({ TopicArn: topic })),
    iam.send(new DetachRolePolicyCommand({ RoleName: name, PolicyArn: QUEUE_ROLE })),
    iam.send(new DeleteRolePolicyCommand({ RoleName: name, PolicyName: "letters" })),
  ]);
  await Promise.allSettled([
    ...FUNCTIONS.map((one) => lambda.send(new DeleteFunctionCommand({ FunctionName: `${name}-${one}` }))),
    ...queues.map((QueueUrl) => sqs.send(new DeleteQueueCommand({ QueueUrl }))),
    iam.send(new DeleteRoleCommand({ RoleName: name })),
    empty(s3, letters),
    empty(s3, results),
  ]);
}

async function empty(s3, Bucket) {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  for (const { Key } of Contents) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
}
