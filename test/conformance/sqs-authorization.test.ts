/** Who may use a queue: identity policies, the queue's own, other accounts, everyone; with authentication on. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AddPermissionCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SQSClient,
  SQSServiceException,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { start } from "../../src/index.ts";
import type { Running } from "../../src/index.ts";
import { assumeNewRole, makeUser } from "../harness/principals.ts";
import { clientOptions, rootOptions } from "../harness/server.ts";
import type { ClientOptions } from "../harness/server.ts";

const ARN = "arn:aws:sqs:us-east-1:000000000000";
let server: Running;
let root: ClientOptions;
let sqs: SQSClient;
const clients: SQSClient[] = [];

function clientOf(options: ClientOptions): SQSClient {
  const client = new SQSClient(options);
  clients.push(client);
  return client;
}

before(async () => {
  server = await start({ auth: "on", sandbox: "process", logLevel: "error" });
  root = await rootOptions(server);
  sqs = clientOf(root);
});
after(async () => {
  for (const client of clients) client.destroy();
  await server.stop();
});

async function queue(QueueName: string, Attributes: Record<string, string> = {}, tags = {}): Promise<string> {
  return (await sqs.send(new CreateQueueCommand({ QueueName, Attributes, tags }))).QueueUrl ?? "";
}

/** A policy on a queue. */
const policy = (name: string, statement: object) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: `${ARN}:${name}`, ...statement }],
  });

const send = (client: SQSClient, QueueUrl: string) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody: "m" }));

async function outcome(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return "allowed";
  } catch (error) {
    if (error instanceof SQSServiceException && error.message.includes("not authorized")) return "denied";
    throw error;
  }
}

test("a user needs the action on the queue's ARN; batches need that of their single form", async () => {
  const url = await queue("mine", {}, { team: "blue" });
  const user = await makeUser(root, "sender", {
    Action: ["sqs:SendMessage", "sqs:GetQueueUrl"],
    Resource: `${ARN}:mine`,
  });
  const client = clientOf(user.options);
  await send(client, url);
  const Entries = [{ Id: "1", MessageBody: "m" }];
  await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
  await client.send(new GetQueueUrlCommand({ QueueName: "mine" }));
  await assert.rejects(client.send(new ReceiveMessageCommand({ QueueUrl: url })), {
    message: `User: ${user.arn} is not authorized to perform: sqs:ReceiveMessage on resource: ${ARN}:mine because no identity-based policy allows the sqs:ReceiveMessage action`,
  });
  const deletion = new DeleteMessageBatchCommand({
    QueueUrl: url,
    Entries: [{ Id: "1", ReceiptHandle: "x" }],
  });
  assert.equal(await outcome(client.send(deletion)), "denied");
  assert.equal(await outcome(client.send(new ListQueuesCommand({}))), "denied");
  assert.equal(await outcome(send(client, await queue("other"))), "denied");
  await user.may({ Action: "sqs:*", Condition: { StringEquals: { "aws:ResourceTag/team": "blue" } } });
  assert.equal(await outcome(send(client, url)), "allowed");
  assert.equal(await outcome(send(client, await queue("other"))), "denied");
});

test("CreateQueue with tags needs TagQueue too, and may be bound to them", async () => {
  const user = await makeUser(root, "maker", { Action: "sqs:CreateQueue" });
  const make = (QueueName: string, tags = {}) =>
    outcome(clientOf(user.options).send(new CreateQueueCommand({ QueueName, tags })));
  assert.equal(await make("made"), "allowed");
  assert.equal(await make("made-tagged", { a: "1" }), "denied");
  const Condition = { StringEquals: { "aws:RequestTag/a": "1" } };
  await user.may({ Action: ["sqs:CreateQueue", "sqs:TagQueue"], Condition });
  assert.equal(await make("made-tagged", { a: "2" }), "denied");
  assert.equal(await make("made-tagged", { a: "1" }), "allowed");
});

test("a queue's policy lets in whom it names, and what it denies is denied to root too", async () => {
  const user = await makeUser(root, "guest");
  const url = await queue("guests", { Policy: policy("guests", { Principal: { AWS: user.arn } }) });
  assert.equal(await outcome(send(clientOf(user.options), url)), "allowed");
  assert.equal(
    await outcome(clientOf(user.options).send(new ReceiveMessageCommand({ QueueUrl: url }))),
    "denied",
  );
  const role = await assumeNewRole(root, "visitor", [{ Action: "sqs:ReceiveMessage" }]);
  assert.equal(await outcome(send(clientOf(role), url)), "denied");
  const Policy = policy("guests", { Effect: "Deny", Principal: "*" });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Policy } }));
  assert.equal(await outcome(send(sqs, url)), "denied");
  assert.equal(await outcome(send(clientOf(user.options), url)), "denied");
});

test("everyone may send where the policy says so, signed or not", async () => {
  const url = await queue("open", { Policy: policy("open", { Principal: "*" }) });
  const anyone = (action: string, QueueUrl: string) =>
    fetch(server.endpoint, {
      method: "POST",
      headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` },
      body: JSON.stringify({ QueueUrl, MessageBody: "from nobody" }),
    });
  assert.equal((await anyone("SendMessage", url)).status, 200);
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: url, MessageSystemAttributeNames: ["SenderId"] }),
  );
  assert.deepEqual(
    Messages.map(({ Body, Attributes }) => [Body, Attributes?.SenderId]),
    [["from nobody", "anonymous"]],
  );
  for (const [action, target] of [
    ["ReceiveMessage", url],
    ["SendMessage", await queue("closed")],
    ["DeleteQueue", url],
    ["ListQueues", url],
  ] as const) {
    const refused = await anyone(action, target);
    assert.equal(refused.status, 400, action);
    assert.match(await refused.text(), /AccessDenied/, action);
  }
});

test("AddPermission lets another account's root in, and not what is not named", async () => {
  const url = await queue("shared");
  await sqs.send(
    new AddPermissionCommand({
      QueueUrl: url,
      Label: "friends",
      AWSAccountIds: ["111111111111"],
      Actions: ["SendMessage"],
    }),
  );
  // Without authentication a 12-digit access key is the root of that account.
  const open = await start({ sandbox: "process", logLevel: "error" });
  try {
    const own = clientOf(clientOptions(open.endpoint));
    const other = clientOf(clientOptions(open.endpoint, { account: "111111111111" }));
    const { QueueUrl = "" } = await own.send(new CreateQueueCommand({ QueueName: "shared" }));
    assert.equal(await outcome(send(other, QueueUrl)), "denied");
    const given = { QueueUrl, Label: "friends", AWSAccountIds: ["111111111111"], Actions: ["SendMessage"] };
    await own.send(new AddPermissionCommand(given));
    assert.equal(await outcome(send(other, QueueUrl)), "allowed");
    assert.equal(await outcome(other.send(new ReceiveMessageCommand({ QueueUrl }))), "denied");
  } finally {
    await open.stop();
  }
});

test("StartMessageMoveTask needs to receive and delete at the source, and to send to the destination", async () => {
  await queue("letters");
  await queue("target");
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: `${ARN}:letters`, maxReceiveCount: 1 });
  await queue("source", { RedrivePolicy });
  const allowed = ["StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"].map(
    (one) => `sqs:${one}`,
  );
  const user = await makeUser(root, "mover", { Action: allowed, Resource: `${ARN}:letters` });
  const begin = (input: { DestinationArn?: string }) =>
    outcome(
      clientOf(user.options).send(new StartMessageMoveTaskCommand({ SourceArn: `${ARN}:letters`, ...input })),
    );
  assert.equal(await begin({ DestinationArn: `${ARN}:target` }), "denied");
  assert.equal(await begin({}), "allowed");
  await user.may({ Action: allowed.slice(0, 2), Resource: `${ARN}:letters` });
  assert.equal(await begin({}), "denied");
});
