/** Who may use a topic: identity policies, the topic's own, other accounts, everyone; with authentication on. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  ListTopicsCommand,
  PublishBatchCommand,
  PublishCommand,
  SNSClient,
  SNSServiceException,
  SetTopicAttributesCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { start } from "../../src/index.ts";
import type { Running } from "../../src/index.ts";
import { makeUser } from "../harness/principals.ts";
import { rootOptions } from "../harness/server.ts";
import type { ClientOptions } from "../harness/server.ts";

const ARN = "arn:aws:sns:us-east-1:000000000000";
let server: Running;
let root: ClientOptions;
let sns: SNSClient;
const clients: SNSClient[] = [];

function clientOf(options: ClientOptions): SNSClient {
  const client = new SNSClient(options);
  clients.push(client);
  return client;
}

before(async () => {
  server = await start({ auth: "on", sandbox: "process", logLevel: "error" });
  root = await rootOptions(server);
  sns = clientOf(root);
});
after(async () => {
  for (const client of clients) client.destroy();
  await server.stop();
});

const topic = async (Name: string, Policy?: string, Tags: { Key: string; Value: string }[] = []) =>
  (await sns.send(new CreateTopicCommand({ Name, Tags, ...(Policy && { Attributes: { Policy } }) })))
    .TopicArn ?? "";

/** A policy on a topic. */
const policy = (name: string, statement: object) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sns:Publish", Resource: `${ARN}:${name}`, ...statement }],
  });

const publish = (client: SNSClient, TopicArn: string) =>
  client.send(new PublishCommand({ TopicArn, Message: "m" }));

async function outcome(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return "allowed";
  } catch (error) {
    if (error instanceof SNSServiceException && error.name === "AuthorizationErrorException") return "denied";
    throw error;
  }
}

test("a user needs the action on the topic's ARN, in AWS's words; a batch needs that of its single form", async () => {
  const TopicArn = await topic("mine", undefined, [{ Key: "team", Value: "blue" }]);
  const other = await topic("other");
  const user = await makeUser(root, "sender", { Action: "sns:Publish", Resource: TopicArn });
  const client = clientOf(user.options);
  await publish(client, TopicArn);
  await client.send(
    new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: [{ Id: "1", Message: "m" }] }),
  );
  await assert.rejects(publish(client, other), {
    name: "AuthorizationErrorException",
    message: `User: ${user.arn} is not authorized to perform: SNS:Publish on resource: ${other} because no identity-based policy allows the SNS:Publish action`,
  });
  assert.equal(await outcome(client.send(new ListTopicsCommand({}))), "denied");
  const subscribe = (Endpoint: string) =>
    outcome(client.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint })));
  const queue = "arn:aws:sqs:us-east-1:000000000000:q";
  assert.equal(await subscribe(queue), "denied");
  await user.may({ Action: "sns:*", Condition: { StringEquals: { "aws:ResourceTag/team": "blue" } } });
  assert.deepEqual(
    [await outcome(publish(client, TopicArn)), await outcome(publish(client, other))],
    ["allowed", "denied"],
  );
  await user.may({ Action: "sns:Subscribe", Condition: { StringLike: { "sns:Endpoint": "*:q" } } });
  assert.deepEqual([await subscribe(`${queue}-2`), await subscribe(queue)], ["denied", "allowed"]);
});

test("a topic's policy lets in whom it names, and everyone where it says so; what it denies is denied to root too", async () => {
  const user = await makeUser(root, "guest");
  const TopicArn = await topic("guests", policy("guests", { Principal: { AWS: user.arn } }));
  assert.equal(await outcome(publish(clientOf(user.options), TopicArn)), "allowed");
  const anyone = (arn: string) =>
    fetch(server.endpoint, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ Action: "Publish", Version: "2010-03-31", TopicArn: arn, Message: "m" }),
    });
  assert.equal((await anyone(TopicArn)).status, 403);
  assert.equal((await anyone(await topic("open", policy("open", { Principal: "*" })))).status, 200);
  await sns.send(
    new SetTopicAttributesCommand({
      TopicArn,
      AttributeName: "Policy",
      AttributeValue: policy("guests", { Effect: "Deny", Principal: "*" }),
    }),
  );
  assert.deepEqual(
    [await outcome(publish(sns, TopicArn)), await outcome(publish(clientOf(user.options), TopicArn))],
    ["denied", "denied"],
  );
});

test("a topic's policy names what is there, and gives what topics have", async () => {
  const TopicArn = await topic("named");
  const set = (AttributeValue: string) =>
    sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: "Policy", AttributeValue }));
  const naming = (AWS: string) => policy("named", { Principal: { AWS } });
  await assert.rejects(set(naming("arn:aws:iam::000000000000:role/nobody")), {
    name: "InvalidParameterException",
    message: "Invalid parameter: Policy Error: PrincipalNotFound",
  });
  await assert.rejects(set(naming("arn:aws:iam::123:root")), {
    message: "Invalid parameter: Policy Error: PrincipalNotFound",
  });
  await assert.rejects(topic("nobodys", naming("arn:aws:iam::000000000000:user/nobody")), {
    message: "Invalid parameter: Policy Error: PrincipalNotFound",
  });
  await assert.rejects(set(policy("named", { Principal: "*", Action: "sns:CreateTopic" })), {
    message: "Invalid parameter: Policy statement action out of service scope!",
  });
  await assert.rejects(set(policy("named", { Principal: "*", Resource: [TopicArn, `${TopicArn}-2`] })), {
    message: "Invalid parameter: Policy statement must apply to a single resource!",
  });
  const user = await makeUser(root, "known");
  for (const Action of ["sns:*", "SNS:Receive", ["SNS:publish", "sns:Subscribe"]])
    await set(policy("named", { Principal: { AWS: user.arn }, Action }));
});

test("another account's queue waits to be confirmed; Unsubscribe is for who may, ConfirmSubscription for who has the token", async () => {
  const TopicArn = await topic("shared");
  const other = "222222222222";
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: "*",
      },
    ],
  });
  const sqs = new SQSClient(root);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "asked", Attributes: { Policy } }));
  const foreign = await sns.send(
    new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: `arn:aws:sqs:us-east-1:${other}:asked` }),
  );
  assert.equal(foreign.SubscriptionArn, "pending confirmation");
  const own = await sns.send(
    new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: "arn:aws:sqs:us-east-1:000000000000:asked" }),
  );
  await publish(sns, TopicArn);
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  assert.equal(Messages.length, 1);
  const user = await makeUser(root, "stranger");
  const client = clientOf(user.options);
  const { SubscriptionArn } = own;
  assert.equal(await outcome(client.send(new UnsubscribeCommand({ SubscriptionArn }))), "denied");
  // Who has a token has been asked, whoever it is.
  await assert.rejects(client.send(new ConfirmSubscriptionCommand({ TopicArn, Token: "none" })), {
    message: "Invalid parameter: Token",
  });
  sqs.destroy();
});
