/** Queues: their names, attributes, lists, tags and permissions. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AddPermissionCommand,
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListQueueTagsCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  RemovePermissionCommand,
  SQSClient,
  SetQueueAttributesCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from "@aws-sdk/client-sqs";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { refusal, startSqs } from "../harness/sqs.ts";
import type { SqsSetting } from "../harness/sqs.ts";

const clock = new MovableClock();
let setting: SqsSetting;
before(async () => {
  setting = await startSqs({ clock });
});
after(() => setting.stop());

const create = (QueueName: string, Attributes: Record<string, string> = {}) =>
  setting.client.send(new CreateQueueCommand({ QueueName, Attributes }));
const creation = (name: string, attributes?: Record<string, string>) => refusal(create(name, attributes));

test("CreateQueue answers a queue that is there already, where what is asked for is as it is", async () => {
  const first = await create("orders", { VisibilityTimeout: "45" });
  assert.equal(first.QueueUrl, `${setting.server.endpoint}/000000000000/orders`);
  assert.deepEqual((await create("orders")).QueueUrl, first.QueueUrl);
  assert.deepEqual(
    (await create("orders", { VisibilityTimeout: "45", DelaySeconds: "0" })).QueueUrl,
    first.QueueUrl,
  );
  assert.equal(
    await creation("orders", { VisibilityTimeout: "46" }),
    "QueueNameExists: A queue already exists with the same name and a different value for attribute VisibilityTimeout",
  );
});

test("CreateQueue refuses names and attributes that a queue cannot have", async () => {
  const name =
    "InvalidParameterValue: Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
  assert.equal(await creation("with space"), name);
  assert.equal(await creation("a".repeat(81)), name);
  assert.equal(await creation("orders.fifo"), name);
  assert.match(
    await creation("orders", { FifoQueue: "true" }),
    /^InvalidParameterValue: The name of a FIFO queue can only/,
  );
  assert.equal(
    await creation("a", { FifoQueue: "false" }),
    "InvalidAttributeName: Unknown Attribute FifoQueue.",
  );
  assert.equal(await creation("a", { Nope: "1" }), "InvalidAttributeName: Unknown Attribute Nope.");
  for (const [attribute, value] of [
    ["VisibilityTimeout", "43201"],
    ["DelaySeconds", "901"],
    ["MaximumMessageSize", "1023"],
    ["MaximumMessageSize", "1048577"],
    ["MessageRetentionPeriod", "59"],
    ["MessageRetentionPeriod", "1209601"],
    ["ReceiveMessageWaitTimeSeconds", "21"],
    ["VisibilityTimeout", "-1"],
    ["VisibilityTimeout", "1.5"],
  ] as const)
    assert.equal(
      await creation("a", { [attribute]: value }),
      `InvalidAttributeValue: Invalid value for the parameter ${attribute}.`,
    );
  assert.match(
    await creation("a", { ContentBasedDeduplication: "true" }),
    /^InvalidAttributeValue: .*FIFO queue/,
  );
  assert.match(
    await creation("a.fifo", { FifoQueue: "true", FifoThroughputLimit: "perMessageGroupId" }),
    /^InvalidAttributeValue: .*allowed only when the value for DeduplicationScope is messageGroup/,
  );
  assert.match(
    await creation("a", { Policy: "{" }),
    /^InvalidAttributeValue: Invalid value for the parameter Policy/,
  );
  const ghost = "arn:aws:iam::000000000000:role/ghost";
  const Statement = { Effect: "Allow", Principal: { AWS: ghost }, Action: "sqs:*", Resource: "*" };
  const Policy = JSON.stringify({ Statement });
  const unknown = `InvalidAttributeValue: Invalid value for the parameter Policy. Reason: Invalid principal in policy: "AWS":"${ghost}"`;
  assert.equal(await creation("a", { Policy }), unknown);
  const { QueueUrl } = await setting.client.send(new CreateQueueCommand({ QueueName: "policy" }));
  const change = new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } });
  assert.equal(await refusal(setting.client.send(change)), unknown);
});

test("CreateQueue refuses keys of KMS by name", async () => {
  assert.match(
    await creation("secret", { KmsMasterKeyId: "alias/aws/sqs" }),
    /^NotImplemented: .*KmsMasterKeyId=alias\/aws\/sqs/,
  );
  assert.match(await creation("secret", { SqsManagedSseEnabled: "yes" }), /^InvalidAttributeValue/);
  await create("open", { SqsManagedSseEnabled: "false" });
});

test("GetQueueAttributes and SetQueueAttributes tell and change what a queue is like", async () => {
  const queue = await setting.queue({ DelaySeconds: "5" });
  const attributes = async (...AttributeNames: ("All" | "DelaySeconds" | "RedrivePolicy")[]) =>
    (await setting.client.send(new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames })))
      .Attributes;
  const { CreatedTimestamp, LastModifiedTimestamp, ...all } = (await attributes("All")) ?? {};
  assert.ok(Math.abs(Number(CreatedTimestamp) - clock.now() / 1_000) < 10);
  assert.equal(LastModifiedTimestamp, CreatedTimestamp);
  assert.deepEqual(all, {
    VisibilityTimeout: "30",
    DelaySeconds: "5",
    MaximumMessageSize: "1048576",
    MessageRetentionPeriod: "345600",
    ReceiveMessageWaitTimeSeconds: "0",
    SqsManagedSseEnabled: "false",
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: "0",
    ApproximateNumberOfMessagesNotVisible: "0",
    ApproximateNumberOfMessagesDelayed: "0",
  });
  assert.equal(await attributes(), undefined);
  assert.equal(await attributes("RedrivePolicy"), undefined);
  const set = (Attributes: Record<string, string>) =>
    setting.client.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes }));
  await set({ DelaySeconds: "0", VisibilityTimeout: "7" });
  assert.deepEqual(await attributes("DelaySeconds"), { DelaySeconds: "0" });
  assert.equal(
    await refusal(set({ DelaySeconds: "x" })),
    "InvalidAttributeValue: Invalid value for the parameter DelaySeconds.",
  );
  assert.equal(
    await refusal(set({ FifoQueue: "true" })),
    "InvalidAttributeName: Unknown Attribute FifoQueue.",
  );
  const { QueueUrl } = await setting.client.send(
    new CreateQueueCommand({ QueueName: "stays.fifo", Attributes: { FifoQueue: "true" } }),
  );
  const another = new SetQueueAttributesCommand({ QueueUrl, Attributes: { FifoQueue: "false" } });
  assert.equal(
    await refusal(setting.client.send(another)),
    "InvalidAttributeValue: Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
  );
  const unknown = new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ["Nope" as "All"] });
  assert.equal(await refusal(setting.client.send(unknown)), "InvalidAttributeName: Unknown Attribute Nope.");
});

test("GetQueueUrl finds a queue by name, also another account's", async () => {
  const queue = await setting.queue();
  const url = async (QueueName: string, QueueOwnerAWSAccountId?: string) =>
    (await setting.client.send(new GetQueueUrlCommand({ QueueName, QueueOwnerAWSAccountId }))).QueueUrl;
  assert.equal(await url(queue.name), queue.url);
  assert.equal(await refusal(url("nowhere")), "QueueDoesNotExist: The specified queue does not exist.");
  const notForYou = "QueueDoesNotExist: The specified queue does not exist or you do not have access to it.";
  assert.equal(await refusal(url(queue.name, "111111111111")), notForYou);
  // Whether it is there is not told to whom its policy does not let in.
  const stranger = new SQSClient(setting.server.client({ account: "111111111111" }));
  const theirs = () =>
    stranger.send(new GetQueueUrlCommand({ QueueName: queue.name, QueueOwnerAWSAccountId: "000000000000" }));
  assert.equal(await refusal(theirs()), notForYou);
  const AWSAccountIds = ["111111111111"];
  await setting.client.send(
    new AddPermissionCommand({ QueueUrl: queue.url, Label: "l", AWSAccountIds, Actions: ["GetQueueUrl"] }),
  );
  assert.equal((await theirs()).QueueUrl, queue.url);
  stranger.destroy();
});

test("ListQueues pages by prefix, of one account and region", async () => {
  for (const name of ["list-a", "list-b", "list-c"]) await create(name);
  const elsewhere = new SQSClient(setting.server.client({ region: "eu-west-1" }));
  await elsewhere.send(new CreateQueueCommand({ QueueName: "list-elsewhere" }));
  const page = async (input: { MaxResults?: number; NextToken?: string }) => {
    const found = await setting.client.send(new ListQueuesCommand({ QueueNamePrefix: "list-", ...input }));
    return { names: found.QueueUrls?.map((one) => one.split("/").at(-1)), next: found.NextToken };
  };
  assert.deepEqual(await page({}), { names: ["list-a", "list-b", "list-c"], next: undefined });
  const first = await page({ MaxResults: 2 });
  assert.deepEqual(first.names, ["list-a", "list-b"]);
  assert.deepEqual(await page({ MaxResults: 2, NextToken: first.next ?? "" }), {
    names: ["list-c"],
    next: undefined,
  });
  assert.match(
    await refusal(page({ MaxResults: 1_001 })),
    /^InvalidParameterValue: Value 1001 for parameter MaxResults/,
  );
  assert.match(await refusal(page({ NextToken: "x" })), /^InvalidParameterValue/);
  elsewhere.destroy();
});

test("DeleteQueue takes the messages along; a queue of the same name is another one, at once", async () => {
  const queue = await setting.queue();
  await queue.send("old");
  const [message] = await queue.receive();
  const waiting = queue.receive({ WaitTimeSeconds: 20 });
  await sleep(100);
  await setting.client.send(new DeleteQueueCommand({ QueueUrl: queue.url }));
  const late = sleep(5_000, "late", { ref: false });
  assert.deepEqual(await Promise.race([waiting, late]), [], "who waits for it is told");
  assert.match(await refusal(queue.send("new")), /^QueueDoesNotExist/);
  assert.match(
    await refusal(setting.client.send(new DeleteQueueCommand({ QueueUrl: queue.url }))),
    /^QueueDoesNotExist/,
  );
  await create(queue.name);
  assert.deepEqual(await queue.counts(), [0, 0, 0]);
  assert.match(await refusal(queue.delete(message ?? {})), /^ReceiptHandleIsInvalid/);
});

test("PurgeQueue removes all messages, in flight and delayed too, and once a minute", async () => {
  for (const attributes of [{}, { FifoQueue: "true", ContentBasedDeduplication: "true" }]) {
    const queue = await setting.queue(attributes);
    const group = "FifoQueue" in attributes ? "g" : undefined;
    await queue.sendAll(["a", "b", "c"], group);
    await queue.receive({ MaxNumberOfMessages: 1 });
    const purge = () => setting.client.send(new PurgeQueueCommand({ QueueUrl: queue.url }));
    await purge();
    assert.deepEqual(await queue.counts(), [0, 0, 0]);
    assert.equal(
      await refusal(purge()),
      `PurgeQueueInProgress: Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`,
    );
    await clock.advance(60_000);
    await purge();
    await queue.sendAll(["d"], group);
    assert.deepEqual(await queue.bodies(), ["d"]);
  }
});

test("TagQueue, ListQueueTags and UntagQueue; tags at creation", async () => {
  const { QueueUrl = "" } = await setting.client.send(
    new CreateQueueCommand({ QueueName: "tagged", tags: { team: "a" } }),
  );
  const tags = async () => (await setting.client.send(new ListQueueTagsCommand({ QueueUrl }))).Tags;
  await setting.client.send(new TagQueueCommand({ QueueUrl, Tags: { team: "b", stage: "test" } }));
  assert.deepEqual(await tags(), { team: "b", stage: "test" });
  await setting.client.send(new UntagQueueCommand({ QueueUrl, TagKeys: ["team", "stage", "none"] }));
  assert.equal(await tags(), undefined);
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, ""]));
  assert.match(
    await refusal(setting.client.send(new TagQueueCommand({ QueueUrl, Tags: many }))),
    /^OverLimit/,
  );
  assert.match(
    await refusal(setting.client.send(new TagQueueCommand({ QueueUrl, Tags: { "aws:x": "1" } }))),
    /^InvalidParameterValue/,
  );
});

test("AddPermission and RemovePermission write statements of the policy", async () => {
  const queue = await setting.queue();
  const add = (Label: string, AWSAccountIds: string[], Actions: string[]) =>
    setting.client.send(new AddPermissionCommand({ QueueUrl: queue.url, Label, AWSAccountIds, Actions }));
  await add("friends", ["111111111111"], ["SendMessage"]);
  await add("others", ["111111111111", "222222222222"], ["ReceiveMessage", "DeleteMessage"]);
  const policy = async () => JSON.parse((await queue.attribute("Policy")) ?? "{}") as { Statement: object[] };
  assert.deepEqual((await policy()).Statement, [
    {
      Sid: "friends",
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111111111111:root" },
      Action: "SQS:SendMessage",
      Resource: queue.arn,
    },
    {
      Sid: "others",
      Effect: "Allow",
      Principal: { AWS: ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root"] },
      Action: ["SQS:ReceiveMessage", "SQS:DeleteMessage"],
      Resource: queue.arn,
    },
  ]);
  assert.equal(
    await refusal(add("friends", ["111111111111"], ["SendMessage"])),
    "InvalidParameterValue: Value friends for parameter Label is invalid. Reason: Already exists.",
  );
  assert.match(
    await refusal(add("x", ["111111111111"], ["CreateQueue"])),
    /Only the queue owner is allowed to invoke this action/,
  );
  assert.match(await refusal(add("x", ["1"], ["SendMessage"])), /^InvalidParameterValue: Value \[1\]/);
  const remove = (Label: string) =>
    setting.client.send(new RemovePermissionCommand({ QueueUrl: queue.url, Label }));
  assert.match(await refusal(remove("x")), /Reason: can't find label on existing policy\.$/);
  await remove("friends");
  await remove("others");
  assert.equal(await queue.attribute("Policy"), undefined);
  assert.match(await refusal(remove("friends")), /Reason: can't find label\.$/);
});

test("ListDeadLetterSourceQueues tells who sends dead letters to a queue", async () => {
  const letters = await setting.queue();
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: letters.arn, maxReceiveCount: "3" });
  const sources = [await setting.queue({ RedrivePolicy }), await setting.queue({ RedrivePolicy })];
  const list = async (input: { MaxResults?: number; NextToken?: string } = {}) =>
    setting.client.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: letters.url, ...input }));
  const urls = sources.map(({ url }) => url);
  assert.deepEqual((await list()).queueUrls, urls);
  const first = await list({ MaxResults: 1 });
  assert.deepEqual(first.queueUrls, urls.slice(0, 1));
  assert.deepEqual(
    (await list({ MaxResults: 1, NextToken: first.NextToken ?? "" })).queueUrls,
    urls.slice(1),
  );
  await setting.client.send(
    new SetQueueAttributesCommand({ QueueUrl: urls[0], Attributes: { RedrivePolicy: "" } }),
  );
  assert.deepEqual((await list()).queueUrls, urls.slice(1));
  assert.equal(
    await sources[1]?.attribute("RedrivePolicy"),
    JSON.stringify({ deadLetterTargetArn: letters.arn, maxReceiveCount: 3 }),
  );
});
