/** What is published, and what queues and functions get of it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AddPermissionCommand } from "@aws-sdk/client-lambda";
import {
  CreateTopicCommand,
  DeleteTopicCommand,
  PublishBatchCommand,
  PublishCommand,
  SNSClient,
  SetTopicAttributesCommand,
  SubscribeCommand,
} from "@aws-sdk/client-sns";
import type { PublishBatchCommandInput, PublishCommandInput } from "@aws-sdk/client-sns";
import { SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { deployFunction, letRole } from "../harness/functions.ts";
import { areRefused, refusal, startSns } from "../harness/sns.ts";
import { verifies } from "../harness/sns-signature.ts";
import type { SnsSetting } from "../harness/sns.ts";
import type { TestQueue } from "../harness/sqs.ts";

let it: SnsSetting;
let sns: SNSClient;
before(async () => {
  it = await startSns();
  ({ sns } = it);
});
after(() => it.stop());

const publish = (TopicArn: string, Message: string, more: Partial<PublishCommandInput> = {}) =>
  sns.send(new PublishCommand({ TopicArn, Message, ...more }));

/** A topic with a queue that gets its messages. */
async function pair(
  topic: Record<string, string> = {},
  subscription: Record<string, string> = {},
  queue: Record<string, string> = {},
) {
  const TopicArn = await it.topic(topic);
  const to = await it.open(queue);
  const arn = await it.subscribe(TopicArn, to, subscription);
  return { TopicArn, queue: to, arn };
}

const parsed = async (queue: TestQueue) =>
  (await queue.bodies()).map((body) => JSON.parse(body) as Record<string, string>);

test("Publish gives a queue AWS's JSON, member for member, with a signature that verifies in both versions", async () => {
  const { TopicArn, queue, arn } = await pair();
  const MessageAttributes = {
    color: { DataType: "String", StringValue: "blue" },
    raw: { DataType: "Binary", BinaryValue: new Uint8Array([0, 255]) },
  };
  const { MessageId } = await publish(TopicArn, 'the "message"', {
    Subject: "Its subject",
    MessageAttributes,
  });
  const [text = ""] = await queue.bodies();
  const { endpoint } = it.server;
  const { Timestamp, Signature, SigningCertURL, ...rest } = JSON.parse(text) as Record<string, string>;
  assert.match(Timestamp ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.match(
    SigningCertURL ?? "",
    new RegExp(`^${endpoint}/SimpleNotificationService-[0-9a-f]{32}\\.pem$`),
  );
  assert.equal(Buffer.from(Signature ?? "", "base64").length, 256);
  assert.deepEqual(rest, {
    Type: "Notification",
    MessageId,
    TopicArn,
    Subject: "Its subject",
    Message: 'the "message"',
    SignatureVersion: "1",
    UnsubscribeURL: `${endpoint}/?Action=Unsubscribe&SubscriptionArn=${arn}`,
    MessageAttributes: { color: { Type: "String", Value: "blue" }, raw: { Type: "Binary", Value: "AP8=" } },
  });
  assert.deepEqual(
    [...text.matchAll(/^ {2}"(\w+)" : /gm)].map(([, name]) => name),
    [
      "Type",
      "MessageId",
      "TopicArn",
      "Subject",
      "Message",
      "Timestamp",
      "SignatureVersion",
      "Signature",
      "SigningCertURL",
      "UnsubscribeURL",
      "MessageAttributes",
    ],
  );
  const message = JSON.parse(text) as Record<string, string>;
  assert.equal(await verifies(message), true);
  assert.equal(await verifies({ ...message, Message: "another" }), false);
  await sns.send(
    new SetTopicAttributesCommand({ TopicArn, AttributeName: "SignatureVersion", AttributeValue: "2" }),
  );
  await publish(TopicArn, "signed with SHA-256");
  const [second = {}] = await parsed(queue);
  assert.deepEqual([second["SignatureVersion"], await verifies(second)], ["2", true]);
});

test("raw delivery gives a queue the message alone, with its attributes; MessageStructure each protocol its own text", async () => {
  const { TopicArn, queue } = await pair({}, { RawMessageDelivery: "true" });
  const MessageAttributes = {
    n: { DataType: "Number", StringValue: "7" },
    b: { DataType: "Binary", BinaryValue: Buffer.from([1]) },
  };
  await publish(TopicArn, JSON.stringify({ default: "for all", sqs: "for queues", http: "no" }), {
    MessageStructure: "json",
    MessageAttributes,
    MessageGroupId: "fair",
  });
  const [message] = await queue.receive();
  assert.equal(message?.Body, "for queues");
  assert.equal(message?.Attributes?.MessageGroupId, "fair");
  assert.deepEqual(message?.MessageAttributes?.["n"], { DataType: "Number", StringValue: "7" });
  assert.deepEqual(Buffer.from(message?.MessageAttributes?.["b"]?.BinaryValue ?? []), Buffer.from([1]));
});

test("a function gets AWS's event, once its policy lets the topic in; until then the dead-letter queue does", async () => {
  const TopicArn = await it.topic();
  const [out, dead] = [await it.open(), await it.open()];
  const name = "on-message";
  const code = `import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
const sqs = new SQSClient({});
export const handler = (event) => sqs.send(new SendMessageCommand({ QueueUrl: ${JSON.stringify(out.url)}, MessageBody: JSON.stringify(event) }));`;
  await letRole(it.server.client(), "sqs:SendMessage");
  const lambda = await deployFunction(it.server.client(), name, { "index.mjs": code });
  const Endpoint = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
  const { SubscriptionArn = "" } = await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "lambda",
      Endpoint,
      Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn }) },
    }),
  );
  await publish(TopicArn, "refused");
  const [letter = {}] = await parsed(dead);
  assert.deepEqual([letter["Type"], letter["Message"]], ["Notification", "refused"]);
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: name,
      StatementId: "sns",
      Action: "lambda:InvokeFunction",
      Principal: "sns.amazonaws.com",
      SourceArn: TopicArn,
    }),
  );
  const MessageAttributes = { a: { DataType: "String", StringValue: "b" } };
  const { MessageId } = await publish(TopicArn, "taken", { MessageAttributes });
  const [body = ""] = await out.bodies({ WaitTimeSeconds: 20 });
  const { Records } = JSON.parse(body) as { Records: [Record<string, Record<string, string>>] };
  const { Sns, ...record } = Records[0];
  assert.deepEqual(record, {
    EventSource: "aws:sns",
    EventVersion: "1.0",
    EventSubscriptionArn: SubscriptionArn,
  });
  assert.deepEqual(Object.keys(Sns ?? {}), [
    "Type",
    "MessageId",
    "TopicArn",
    "Subject",
    "Message",
    "Timestamp",
    "SignatureVersion",
    "Signature",
    "SigningCertUrl",
    "UnsubscribeUrl",
    "MessageAttributes",
  ]);
  assert.deepEqual(
    [Sns?.["MessageId"], Sns?.["Subject"], Sns?.["Message"], Sns?.["MessageAttributes"]],
    [MessageId, null, "taken", { a: { Type: "String", Value: "b" } }],
  );
  const { Subject: _, SigningCertUrl, ...signed } = Sns ?? {};
  assert.equal(await verifies({ ...signed, SigningCertURL: SigningCertUrl }), true);
  lambda.destroy();
});

test("a topic delivers to queues of other regions; one of an opt-in region by the principal that it has there", async () => {
  const queue = await it.queue();
  const statement = (region: string, Principal: object) => ({
    Effect: "Allow",
    Principal,
    Action: "sqs:SendMessage",
    Resource: queue.arn,
    Condition: { ArnLike: { "aws:SourceArn": `arn:aws:sns:${region}:*:abroad` } },
  });
  const letIn = async (statements: readonly unknown[]) => {
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: statements });
    await it.client.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { Policy } }));
  };
  const send = async (region: string, Message: string) => {
    const abroad = new SNSClient(it.server.client({ region }));
    const { TopicArn } = await abroad.send(new CreateTopicCommand({ Name: "abroad" }));
    const Attributes = { RawMessageDelivery: "true" };
    await abroad.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue.arn, Attributes }));
    await abroad.send(new PublishCommand({ TopicArn, Message }));
  };
  await letIn([
    // As AWS's console writes it: everyone is services too.
    statement("eu-west-1", { AWS: "*" }),
    statement("ap-east-1", { Service: "sns.ap-east-1.amazonaws.com" }),
  ]);
  await send("eu-west-1", "from Ireland");
  await send("ap-east-1", "from Hong Kong");
  assert.deepEqual((await queue.bodies()).toSorted(), ["from Hong Kong", "from Ireland"]);
  await letIn([statement("ap-east-1", { Service: "sns.amazonaws.com" })]);
  await send("ap-east-1", "by the other principal");
  assert.deepEqual(await queue.bodies(), []);
});

test("filter policies choose by attributes, with SNS's sense of numbers and lists, or by the body", async () => {
  const TopicArn = await it.topic();
  const filtered = async (policy: object, scope?: "MessageBody") => {
    const queue = await it.open();
    await it.subscribe(TopicArn, queue, {
      RawMessageDelivery: "true",
      FilterPolicy: JSON.stringify(policy),
      ...(scope && { FilterPolicyScope: scope }),
    });
    return queue;
  };
  const queues = {
    exact: await filtered({ color: ["red", { prefix: "bl" }] }),
    price: await filtered({ price: [{ numeric: [">=", 100, "<", 200] }, 7] }),
    list: await filtered({ tags: ["x", 3] }),
    absent: await filtered({ color: [{ exists: false }], price: [{ exists: false }] }),
    either: await filtered({ $or: [{ color: ["red"] }, { price: [{ numeric: ["<", 1] }] }] }),
    body: await filtered({ detail: { kind: ["a", { "anything-but": "z" }] }, n: [300] }, "MessageBody"),
  };
  const text = (StringValue: string, DataType = "String") => ({ DataType, StringValue });
  await publish(TopicArn, "red", { MessageAttributes: { color: text("red") } });
  await publish(TopicArn, "blue", {
    MessageAttributes: { color: text("blue"), price: text("150", "Number") },
  });
  await publish(TopicArn, "seven", { MessageAttributes: { price: text("7.0", "Number") } });
  await publish(TopicArn, "as text", { MessageAttributes: { price: text("150") } });
  await publish(TopicArn, "tagged", { MessageAttributes: { tags: text('["y", 3, null]', "String.Array") } });
  await publish(TopicArn, "malformed", { MessageAttributes: { tags: text("x", "String.Array") } });
  await publish(TopicArn, '{"detail":{"kind":"b"},"n":3e2}');
  await publish(TopicArn, '{"detail":{"kind":"z"},"n":300}');
  const got: Record<string, string[]> = {};
  for (const [name, queue] of Object.entries(queues)) got[name] = (await queue.bodies()).toSorted();
  assert.deepEqual(got, {
    exact: ["blue", "red"],
    price: ["blue", "seven"],
    list: ["tagged"],
    absent: ["tagged", '{"detail":{"kind":"b"},"n":3e2}', '{"detail":{"kind":"z"},"n":300}'],
    either: ["red"],
    body: ['{"detail":{"kind":"b"},"n":3e2}'],
  });
});

test("FIFO topics keep the order of groups and deduplicate by id and by content; standard queues may listen too", async () => {
  const fifo = { FifoTopic: "true" };
  const { TopicArn, queue } = await pair(
    { ...fifo, ContentBasedDeduplication: "true" },
    { RawMessageDelivery: "true" },
    { FifoQueue: "true" },
  );
  const plain = await it.open();
  await it.subscribe(TopicArn, plain);
  const numbers: string[] = [];
  for (const [message, MessageDeduplicationId] of [
    ["a"],
    ["b"],
    ["a"],
    ["c", "id"],
    ["d", "id"],
    ["e"],
  ] as const) {
    const answer = await publish(TopicArn, message ?? "", {
      MessageGroupId: "g",
      ...(MessageDeduplicationId && { MessageDeduplicationId }),
    });
    numbers.push(answer.SequenceNumber ?? "");
  }
  assert.deepEqual(await queue.bodies(), ["a", "b", "c", "e"]);
  assert.ok(numbers.every((number) => /^\d{20}$/.test(number)));
  assert.equal(numbers[2], numbers[0], "a duplicate has the first one's number");
  const received = await plain.receive();
  const told = received.map(({ Body = "" }) => JSON.parse(Body) as object);
  assert.equal(told.length, 4);
  assert.equal(received[0]?.Attributes?.["MessageGroupId"], undefined, "a standard queue is told no group");
  assert.deepEqual(Object.keys(told[0] ?? {}), [
    "Type",
    "MessageId",
    "SequenceNumber",
    "TopicArn",
    "Message",
    "Timestamp",
    "UnsubscribeURL",
  ]);
  const byGroup = await pair(
    { ...fifo, ContentBasedDeduplication: "true", FifoThroughputScope: "MessageGroup" },
    { RawMessageDelivery: "true" },
    { FifoQueue: "true", DeduplicationScope: "messageGroup", FifoThroughputLimit: "perMessageGroupId" },
  );
  for (const MessageGroupId of ["g", "h", "g"]) await publish(byGroup.TopicArn, "same", { MessageGroupId });
  assert.deepEqual(await byGroup.queue.bodies(), ["same", "same"]);
  const [strict, standard] = [await it.topic(fifo), await it.topic()];
  await areRefused([
    [publish(strict, "m"), /The MessageGroupId parameter is required for FIFO topics/],
    [
      publish(strict, "m", { MessageGroupId: "g" }),
      /ContentBasedDeduplication enabled or MessageDeduplicationId/,
    ],
    [publish(strict, "m", { MessageGroupId: "a b" }), /alphanumeric and punctuation/],
    [
      publish(standard, "m", { MessageDeduplicationId: "x" }),
      /MessageDeduplicationId parameter that is not valid for this topic type/,
    ],
  ]);
});

test("PublishBatch publishes all of its entries, or refuses them all for one", async () => {
  const { TopicArn, queue } = await pair({}, { RawMessageDelivery: "true" });
  const strict = await it.topic({ FifoTopic: "true" });
  const small = await it.topic({ MaximumMessageSize: "1024" });
  type Entries = PublishBatchCommandInput["PublishBatchRequestEntries"] & {};
  const batchTo = (topic: string, ...PublishBatchRequestEntries: Entries) =>
    sns.send(new PublishBatchCommand({ TopicArn: topic, PublishBatchRequestEntries }));
  const batch = (...entries: Entries) => batchTo(TopicArn, ...entries);
  const answer = await batch({ Id: "a", Message: "m" }, { Id: "b", Message: "n" });
  assert.deepEqual(
    answer.Successful?.map(({ Id }) => Id),
    ["a", "b"],
  );
  assert.deepEqual(answer.Failed, []);
  const bad = (value: object) => batch({ Id: "good", Message: "m" }, { Id: "bad", Message: "m", ...value });
  await areRefused([
    [bad({ Message: "" }), /^InvalidParameterException: Invalid parameter: Empty message$/],
    [bad({ Subject: "\n" }), /^InvalidParameterException: Invalid parameter: Subject$/],
    [
      bad({ MessageAttributes: { "a^": { DataType: "String", StringValue: "b" } } }),
      /character '#x5E' was found/,
    ],
    [bad({ MessageStructure: "json" }), /JSON message body failed to parse$/],
    [
      batchTo(strict, { Id: "a", Message: "m" }),
      /^InvalidParameterException: Invalid parameter: The MessageGroupId parameter is required for FIFO topics$/,
    ],
    [batchTo(small, { Id: "a", Message: "x".repeat(1_025) }), /Invalid parameter: Message too long$/],
  ]);
  assert.deepEqual((await queue.bodies()).toSorted(), ["m", "n"]);
  const eleven = Array.from({ length: 11 }, (_, i) => ({ Id: `${i}`, Message: "m" }));
  const big = "x".repeat(140_000);
  await areRefused([
    [batch(), /^EmptyBatchRequestException: The batch request doesn't contain any entries\.$/],
    [batch(...eleven), /^TooManyEntriesInBatchRequestException/],
    [batch({ Id: "a", Message: "m" }, { Id: "a", Message: "m" }), /^BatchEntryIdsNotDistinctException/],
    [batch({ Id: "a b", Message: "m" }), /^InvalidBatchEntryIdException/],
    [
      batch({ Id: "a", Message: big }, { Id: "b", Message: big }),
      /^BatchRequestTooLongException: The length of all the messages put together is more than the limit\.$/,
    ],
  ]);
});

test("Publish refuses what no message is, and takes as much as MaximumMessageSize says", async () => {
  const { TopicArn, queue } = await pair({ MaximumMessageSize: "1048576" }, { RawMessageDelivery: "true" });
  const small = await it.topic();
  const attribute = (value: object) => ({ MessageAttributes: { a: value as never } });
  await areRefused([
    [publish(small, ""), /^InvalidParameterException: Invalid parameter: Empty message$/],
    [publish(small, "x".repeat(262_145)), /^InvalidParameterException: Invalid parameter: Message too long$/],
    [publish(small, "m", { Subject: "x".repeat(101) }), /Invalid parameter: Subject$/],
    [publish(small, "m", { MessageStructure: "json" }), /JSON message body failed to parse$/],
    [publish(small, "{}", { MessageStructure: "json" }), /No default entry in JSON message body$/],
    [publish(small, "m", { MessageStructure: "xml" }), /MessageStructure/],
    [
      publish(small, "m", attribute({ DataType: "Number", StringValue: "x" })),
      /^InvalidParameterValueException: Could not cast/,
    ],
    [
      publish(small, "m", attribute({ DataType: "Nonsense", StringValue: "x" })),
      /^InvalidParameterValueException: .*invalid message attribute type/,
    ],
    [
      publish(small, "m", attribute({ DataType: "String", StringValue: "" })),
      /must contain non-empty message attribute value/,
    ],
    [publish(`${small}-none`, "m"), /^NotFoundException: Topic does not exist$/],
    [
      publish("nonsense", "m"),
      /Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1$/,
    ],
    [sns.send(new PublishCommand({ Message: "m" })), /TopicArn or TargetArn Reason: no value/],
  ]);
  const names: Record<string, RegExp> = {
    "a^b":
      /^InvalidParameterValueException: Invalid non-alphanumeric character '#x5E' was found in the message attribute name\. Can only/,
    ".a": /^InvalidParameterValueException: Invalid message attribute name starting with character '\.' was found\.$/,
    "a.": /Invalid message attribute name ending with character '\.' was found\.$/,
    "a..b": /Message attribute name can not have successive '\.' character\.$/,
    "AWS.a": /starting with 'AWS\.'/,
  };
  for (const [name, expected] of Object.entries(names))
    assert.match(
      await refusal(
        publish(small, "m", { MessageAttributes: { [name]: { DataType: "String", StringValue: "b" } } }),
      ),
      expected,
    );
  await publish(TopicArn, "x".repeat(1_000_000));
  assert.equal((await queue.bodies())[0]?.length, 1_000_000);
});

test("AWS's metrics tell how much was published and delivered, and why filters kept messages out", async () => {
  const { TopicArn, queue } = await pair();
  const [byAttributes, byBody] = [await it.open(), await it.open()];
  await it.subscribe(TopicArn, byAttributes, { FilterPolicy: '{"a":["b"]}' });
  await it.subscribe(TopicArn, byBody, { FilterPolicy: '{"a":["b"]}', FilterPolicyScope: "MessageBody" });
  const other = { a: { DataType: "String", StringValue: "c" } };
  const list = { l: { DataType: "String.Array", StringValue: "no list" } };
  await publish(TopicArn, '{"a":"b"}');
  await publish(TopicArn, "no JSON", { MessageAttributes: other });
  await publish(TopicArn, '{"a":"c"}', { MessageAttributes: list });
  assert.equal((await queue.bodies()).length, 3);
  const sizes = [9, 7 + "aStringc".length, 9 + "lString.Arrayno list".length];
  assert.deepEqual(await it.metrics(TopicArn), {
    number_of_messages_published_total: 3,
    publish_size_sum: sizes.reduce((sum, one) => sum + one),
    publish_size_count: 3,
    publish_size_max: Math.max(...sizes),
    delivered_total: 4,
    filtered_out_total: 5,
    filtered_out_message_attributes_total: 3,
    filtered_out_no_message_attributes_total: 1,
    filtered_out_invalid_attributes_total: 1,
    filtered_out_message_body_total: 2,
    filtered_out_invalid_message_body_total: 1,
  });
});

test("a queue that does not let the topic in leaves its messages to the dead-letter queue; a deleted topic takes none", async () => {
  const TopicArn = await it.topic();
  const [closed, dead] = [await it.queue(), await it.open()];
  await it.subscribe(TopicArn, closed, {
    RawMessageDelivery: "true",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn }),
  });
  const MessageAttributes = { a: { DataType: "String", StringValue: "b" } };
  await publish(TopicArn, "kept", { MessageAttributes });
  assert.deepEqual(await closed.counts(), [0, 0, 0]);
  const [letter] = await dead.receive();
  assert.equal(letter?.Body, "kept");
  assert.deepEqual(letter?.MessageAttributes, MessageAttributes);
  const { failed_total: failed, redriven_to_dlq_total: redriven } = await it.metrics(TopicArn);
  assert.deepEqual([failed, redriven], [1, 1]);
  await sns.send(new DeleteTopicCommand({ TopicArn }));
  assert.match(await refusal(publish(TopicArn, "m")), /^NotFoundException/);
});
