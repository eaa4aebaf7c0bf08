/** Topics and subscriptions: what is made, told, changed and refused. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AddPermissionCommand,
  CheckIfPhoneNumberIsOptedOutCommand,
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  DeleteTopicCommand,
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListSubscriptionsCommand,
  ListTagsForResourceCommand,
  ListTopicsCommand,
  PublishCommand,
  RemovePermissionCommand,
  SNSClient,
  SetSubscriptionAttributesCommand,
  SetTopicAttributesCommand,
  SubscribeCommand,
  TagResourceCommand,
  UnsubscribeCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-sns";
import { areRefused, refusal, startSns } from "../harness/sns.ts";
import type { SnsSetting } from "../harness/sns.ts";

const ACCOUNT = "000000000000";
let it: SnsSetting;
let sns: SNSClient;
before(async () => {
  it = await startSns();
  ({ sns } = it);
});
after(() => it.stop());

const create = (Name: string, Attributes: Record<string, string> = {}, more = {}) =>
  sns.send(new CreateTopicCommand({ Name, Attributes, ...more }));
const attributesOf = async (TopicArn: string) =>
  (await sns.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes ?? {};
const set = (TopicArn: string, AttributeName: string, AttributeValue: string) =>
  sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName, AttributeValue }));

test("CreateTopic answers the same topic again where it is asked for as it is; GetTopicAttributes tells AWS's defaults", async () => {
  const { TopicArn = "" } = await create("made", { DisplayName: "Made" });
  assert.equal(TopicArn, `arn:aws:sns:us-east-1:${ACCOUNT}:made`);
  assert.equal((await create("made")).TopicArn, TopicArn);
  assert.equal((await create("made", { DisplayName: "Made" })).TopicArn, TopicArn);
  assert.equal(
    await refusal(create("made", { DisplayName: "Other" })),
    "InvalidParameterException: Invalid parameter: Attributes Reason: Topic already exists with different attributes",
  );
  assert.equal(
    await refusal(create("made", {}, { Tags: [{ Key: "a", Value: "b" }] })),
    "InvalidParameterException: Invalid parameter: Tags Reason: Topic already exists with different tags",
  );
  const { Policy = "", EffectiveDeliveryPolicy = "", ...rest } = await attributesOf(TopicArn);
  assert.deepEqual(rest, {
    Owner: ACCOUNT,
    TopicArn,
    DisplayName: "Made",
    SubscriptionsPending: "0",
    SubscriptionsConfirmed: "0",
    SubscriptionsDeleted: "0",
  });
  assert.equal((JSON.parse(Policy) as { Id: string }).Id, "__default_policy_ID");
  const { http } = JSON.parse(EffectiveDeliveryPolicy) as {
    http: { defaultHealthyRetryPolicy: { numRetries: number }; disableSubscriptionOverrides: boolean };
  };
  assert.deepEqual(
    [http.defaultHealthyRetryPolicy.numRetries, http.disableSubscriptionOverrides],
    [3, false],
  );
  const fifo = await create("made.fifo", { FifoTopic: "true", ContentBasedDeduplication: "true" });
  const told = await attributesOf(fifo.TopicArn ?? "");
  assert.deepEqual(
    [told["FifoTopic"], told["ContentBasedDeduplication"], told["FifoThroughputScope"]],
    ["true", "true", "Topic"],
  );
});

test("CreateTopic and SetTopicAttributes refuse what no topic has, by SNS's texts, and by name what this server does not", async () => {
  const TopicArn = await it.topic();
  await areRefused([
    [create("a b"), /^InvalidParameterException: Invalid parameter: Topic Name$/],
    [create("x".repeat(257)), /Topic Name$/],
    [create("a.fifo"), /Topic Name$/],
    [create("a", { FifoTopic: "true" }), /Fifo Topic names must end with \.fifo/],
    [create("a", { Nonsense: "1" }), /Invalid parameter: AttributeName/],
    [create("a", { KmsMasterKeyId: "alias/aws/sns" }), /^NotImplemented: .*KmsMasterKeyId/],
    [create("a", { MaximumMessageSize: "1000" }), /MaximumMessageSize/],
    [create("a", { ContentBasedDeduplication: "true" }), /only FIFO topics/],
    [create("a", {}, { DataProtectionPolicy: "{}" }), /^NotImplemented: .*DataProtectionPolicy/],
    [set(TopicArn, "Policy", "{}"), /Invalid parameter: Policy Reason: /],
    [set(TopicArn, "SignatureVersion", "3"), /SignatureVersion/],
    [set(TopicArn, "ArchivePolicy", '{"MessageRetentionPeriod":"30"}'), /^NotImplemented: .*ArchivePolicy/],
    [set(TopicArn, "TracingConfig", "Active"), /^NotImplemented: .*TracingConfig/],
    [set(TopicArn, "LambdaSuccessFeedbackRoleArn", "arn"), /^NotImplemented: .*LambdaSuccessFeedbackRoleArn/],
    [
      set(TopicArn, "HTTPSuccessFeedbackSampleRate", "100"),
      /^NotImplemented: .*HTTPSuccessFeedbackSampleRate/,
    ],
    [set(TopicArn, "FifoTopic", "true"), /Invalid parameter: AttributeName$/],
    [
      set(TopicArn, "DeliveryPolicy", '{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}'),
      /at most 100/,
    ],
    [set(`${TopicArn}-none`, "DisplayName", "a"), /^NotFoundException: Topic does not exist$/],
    [set(TopicArn.replace("us-east-1", "eu-west-1"), "DisplayName", "a"), /Invalid parameter: TopicArn/],
    [
      sns.send(new CheckIfPhoneNumberIsOptedOutCommand({ phoneNumber: "+1" })),
      /^NotImplemented: .*CheckIfPhoneNumberIsOptedOut/,
    ],
    [sns.send(new PublishCommand({ PhoneNumber: "+1555", Message: "m" })), /^NotImplemented: .*PhoneNumber/],
  ]);
  await set(TopicArn, "DisplayName", "Shown");
  await set(TopicArn, "MaximumMessageSize", "1024");
  // Terraform's way of saying that no delivery is logged.
  await set(TopicArn, "HTTPSuccessFeedbackSampleRate", "0");
  await set(TopicArn, "HTTPSuccessFeedbackRoleArn", "");
  const after = await attributesOf(TopicArn);
  assert.deepEqual(
    [after["DisplayName"], after["MaximumMessageSize"], after["HTTPSuccessFeedbackSampleRate"]],
    ["Shown", "1024", "0"],
  );
});

test("ListTopics, ListSubscriptions and ListSubscriptionsByTopic give a hundred a page; DeleteTopic takes the subscriptions with it", async () => {
  const own = new SNSClient(it.server.client({ account: "111111111111" }));
  for (let i = 0; i < 101; i++)
    await own.send(new CreateTopicCommand({ Name: `t-${String(i).padStart(3, "0")}` }));
  const first = await own.send(new ListTopicsCommand({}));
  assert.equal(first.Topics?.length, 100);
  const second = await own.send(new ListTopicsCommand({ NextToken: first.NextToken }));
  assert.deepEqual(second.Topics, [{ TopicArn: "arn:aws:sns:us-east-1:111111111111:t-100" }]);
  assert.equal(second.NextToken, undefined);
  assert.match(await refusal(own.send(new ListTopicsCommand({ NextToken: "?" }))), /NextToken/);
  const TopicArn = second.Topics?.[0]?.TopicArn ?? "";
  for (let i = 0; i < 101; i++)
    await own.send(
      new SubscribeCommand({
        TopicArn,
        Protocol: "sqs",
        Endpoint: `arn:aws:sqs:us-east-1:111111111111:q-${i}`,
      }),
    );
  const page = await own.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
  const rest = await own.send(new ListSubscriptionsByTopicCommand({ TopicArn, NextToken: page.NextToken }));
  assert.deepEqual([page.Subscriptions?.length, rest.Subscriptions?.length], [100, 1]);
  await own.send(new DeleteTopicCommand({ TopicArn }));
  await own.send(new DeleteTopicCommand({ TopicArn }));
  assert.deepEqual((await own.send(new ListSubscriptionsCommand({}))).Subscriptions, []);
  assert.match(await refusal(own.send(new GetTopicAttributesCommand({ TopicArn }))), /^NotFoundException/);
  own.destroy();
});

test("Subscribe answers the same subscription again; GetSubscriptionAttributes, SetSubscriptionAttributes and Unsubscribe know it", async () => {
  const TopicArn = await it.topic();
  const queue = await it.open();
  const arn = await it.subscribe(TopicArn, queue, { RawMessageDelivery: "true" });
  assert.match(arn, new RegExp(`^${TopicArn}:[0-9a-f-]{36}$`));
  assert.equal(await it.subscribe(TopicArn, queue), arn);
  assert.match(
    await refusal(it.subscribe(TopicArn, queue, { RawMessageDelivery: "false" })),
    /Subscription already exists with different attributes/,
  );
  const change = (AttributeName: string, AttributeValue: string) =>
    sns.send(new SetSubscriptionAttributesCommand({ SubscriptionArn: arn, AttributeName, AttributeValue }));
  await change("FilterPolicy", '{"a":["b"]}');
  const told = async () =>
    (await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }))).Attributes;
  assert.deepEqual(await told(), {
    SubscriptionPrincipal: `arn:aws:iam::${ACCOUNT}:root`,
    Owner: ACCOUNT,
    RawMessageDelivery: "true",
    TopicArn,
    Endpoint: queue.arn,
    Protocol: "sqs",
    PendingConfirmation: "false",
    ConfirmationWasAuthenticated: "true",
    SubscriptionArn: arn,
    FilterPolicy: '{"a":["b"]}',
    FilterPolicyScope: "MessageAttributes",
  });
  await change("FilterPolicyScope", "MessageBody");
  await change("FilterPolicy", "{}");
  await change("RawMessageDelivery", "false");
  const without = await told();
  assert.deepEqual([without?.["FilterPolicy"], without?.["FilterPolicyScope"]], [undefined, undefined]);
  await change("FilterPolicy", '{"a":{"b":["c"]}}');
  assert.equal((await told())?.["FilterPolicyScope"], "MessageBody", "it is kept without a policy");
  await change("FilterPolicy", "{}");
  await change("FilterPolicyScope", "MessageAttributes");
  await areRefused([
    [
      change("FilterPolicy", '{"a":{"b":["c"]}}'),
      /^InvalidParameterException: Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy$/,
    ],
    [change("FilterPolicy", '{"a":"b"}'), /"a" must be an object or an array/],
    [change("FilterPolicy", "nonsense"), /FilterPolicy: failed to parse JSON/],
    [
      change(
        "FilterPolicy",
        JSON.stringify(Object.fromEntries("abcdef".split("").map((key) => [key, ["1"]]))),
      ),
      /more than 5 keys/,
    ],
    [change("FilterPolicy", JSON.stringify({ a: Array.from({ length: 151 }, String) })), /too complex/],
    [
      change("RawMessageDelivery", "maybe"),
      /Invalid parameter: RawMessageDelivery: Invalid value \[maybe\]\. Must be true or false\.$/,
    ],
    [
      change("FilterPolicyScope", "Random"),
      /Invalid parameter: FilterPolicyScope: Invalid value \[Random\]\. Please use either MessageBody or MessageAttributes$/,
    ],
    [change("RedrivePolicy", '{"deadLetterTargetArn":"x"}'), /invalid arn/],
    [change("ReplayPolicy", "{}"), /^NotImplemented: .*ReplayPolicy/],
    [change("SubscriptionRoleArn", "x"), /^NotImplemented: .*SubscriptionRoleArn/],
    [change("DeliveryPolicy", "{}"), /does not support delivery policies/],
    [change("Nonsense", "{}"), /Invalid parameter: AttributeName/],
  ]);
  await sns.send(new UnsubscribeCommand({ SubscriptionArn: arn }));
  await sns.send(new UnsubscribeCommand({ SubscriptionArn: arn }));
  assert.match(await refusal(told()), /^NotFoundException: Subscription does not exist$/);
  assert.equal((await attributesOf(TopicArn))["SubscriptionsDeleted"], "1");
  assert.match(
    await refusal(sns.send(new UnsubscribeCommand({ SubscriptionArn: "PendingConfirmation" }))),
    /SubscriptionArn/,
  );
});

/** Filter policies, and what AWS was recorded to say of them, without where in the text it found it. */
const WRONG_FILTERS: readonly [string, string][] = [
  ['[["value"]]', "Match value must be String, number, true, false, or null"],
  ['[{"wrong":true}]', "Unrecognized match type wrong"],
  ['[{"suffix":"a","prefix":"b"}]', "Only one key allowed in match expression"],
  ['[{"suffix":100}]', "suffix match pattern must be a string"],
  ['[{"numeric":[]}]', "Invalid member in numeric match: ]"],
  ['[{"numeric":[1,"<="]}]', "Invalid member in numeric match: 1"],
  ['[{"numeric":["operator"]}]', "Unrecognized numeric range operator: operator"],
  ['[{"numeric":["=","000"]}]', "Value of equals must be numeric"],
  ['[{"numeric":[">="]}]', "Value of >= must be numeric"],
  ['[{"numeric":["<",100,">",10]}]', "Too many elements in numeric expression"],
  ['[{"numeric":[">=",1,">",2]}]', "Bad numeric range operator: >"],
  ['[{"numeric":[">",3,"<",1]}]', "Bottom must be less than top"],
  ['[{"numeric":[">",20,"<="]}]', "Value of <= must be numeric"],
  ['[{"numeric":[">",20,30]}]', "Bad value in numeric range: 30"],
  ['[{"numeric":[">",20,"test"]}]', "Bad numeric range operator: test"],
  ['[{"numeric":[">",20,"<",30,"<",50]}]', "Too many terms in numeric range expression"],
  ['[{"exists":null}]', "exists match pattern must be either true or false."],
];

test("what AWS was recorded to say of ARNs, filter policies and tokens that cannot be is said here", async () => {
  const TopicArn = await it.topic();
  const subscribe = (topic: string, FilterPolicy = "{}") => {
    const Endpoint = `arn:aws:sqs:us-east-1:${ACCOUNT}:q`;
    return refusal(
      sns.send(
        new SubscribeCommand({ TopicArn: topic, Protocol: "sqs", Endpoint, Attributes: { FilterPolicy } }),
      ),
    );
  };
  const elements = (count: number) =>
    new RegExp(`Arn Reason: An ARN must have at least 6 elements, not ${count}$`);
  assert.match(await subscribe("randomstring"), elements(1));
  assert.match(await subscribe("arn:aws:sns:us-east-1:123"), elements(5));
  const end = (SubscriptionArn: string) => refusal(sns.send(new UnsubscribeCommand({ SubscriptionArn })));
  assert.match(await end("nonsense"), elements(1));
  assert.match(await end("arn:aws:sns:us-east-1:123"), elements(5));
  assert.match(await end(`${TopicArn}:nonsense`), /Invalid parameter: SubscriptionId$/);
  const confirm = (topic: string) =>
    refusal(sns.send(new ConfirmSubscriptionCommand({ TopicArn: topic, Token: "0".repeat(256) })));
  assert.match(await confirm(TopicArn), /Invalid parameter: Token$/);
  assert.match(await confirm(`${TopicArn}-none`), /Invalid parameter: Token$/);
  assert.match(await confirm(TopicArn.replace("us-east-1", "eu-west-1")), /Invalid parameter: Topic$/);
  for (const [values, expected] of WRONG_FILTERS) {
    const said = await subscribe(TopicArn, `{"key":${values}}`);
    const prefix = "InvalidParameterException: Invalid parameter: Attributes Reason: FilterPolicy: ";
    assert.equal(said.slice(0, prefix.length + expected.length), prefix + expected);
  }
});

test("delivery policies are told as AWS tells them, with what they have not, and taken back so", async () => {
  const given =
    '{"http":{"defaultHealthyRetryPolicy":null,"defaultRequestPolicy":{"headerContentType":"application/json"}}}';
  const TopicArn = await it.topic({ DeliveryPolicy: given });
  const topic = JSON.parse((await attributesOf(TopicArn))["DeliveryPolicy"] ?? "") as object;
  const requestPolicy = { headerContentType: "application/json" };
  assert.deepEqual(topic, {
    http: { disableSubscriptionOverrides: false, defaultRequestPolicy: requestPolicy },
  });
  const { SubscriptionArn } = await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "http",
      Endpoint: `${it.server.endpoint}/hook`,
      Attributes: { DeliveryPolicy: '{"throttlePolicy":{"maxReceivesPerSecond":10}}' },
      ReturnSubscriptionArn: true,
    }),
  );
  const told = async () =>
    (await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }))).Attributes ?? {};
  const { DeliveryPolicy = "", EffectiveDeliveryPolicy = "" } = await told();
  const own = { sicklyRetryPolicy: null, throttlePolicy: { maxReceivesPerSecond: 10 }, guaranteed: false };
  assert.deepEqual(JSON.parse(DeliveryPolicy), { ...own, healthyRetryPolicy: null, requestPolicy: null });
  const { healthyRetryPolicy, ...effective } = JSON.parse(EffectiveDeliveryPolicy) as Record<string, object>;
  assert.deepEqual(effective, { ...own, requestPolicy });
  assert.deepEqual(Object.keys(healthyRetryPolicy ?? {}).length, 7);
  const AttributeValue = DeliveryPolicy;
  await sns.send(
    new SetSubscriptionAttributesCommand({
      SubscriptionArn,
      AttributeName: "DeliveryPolicy",
      AttributeValue,
    }),
  );
  assert.deepEqual(await told(), { ...(await told()), DeliveryPolicy, EffectiveDeliveryPolicy });
});

test("Subscribe refuses protocols and endpoints that do not go together, and those of what is not here by name", async () => {
  const [TopicArn, fifo] = [await it.topic(), await it.topic({ FifoTopic: "true" })];
  const subscribe = (Protocol: string, Endpoint: string, topic = TopicArn) =>
    refusal(sns.send(new SubscribeCommand({ TopicArn: topic, Protocol, Endpoint })));
  const lambda = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`;
  const cases: [string, string, RegExp, string?][] = [
    ["carrier-pigeon", "coop", /does not support this protocol string: carrier-pigeon/],
    ["sqs", "http://localhost/q", /Invalid parameter: SQS endpoint ARN/],
    ["sqs", `arn:aws:sqs::${ACCOUNT}:q`, /SQS endpoint ARN/],
    [
      "sqs",
      `arn:aws:sqs:us-east-1:${ACCOUNT}:q.fifo`,
      /FIFO SQS Queues can not be subscribed to standard SNS topics/,
    ],
    ["lambda", "f", /Lambda endpoint ARN/],
    ["lambda", lambda, /FIFO topics deliver to queues only/, fifo],
    ["http", "https://example.com", /must match the specified protocol/],
    ["http", "http://localhost:3000/hook", /Unreachable Endpoint: .*on this machine.*--local-endpoints$/],
    ["https", "https://10.0.0.7/", /Unreachable Endpoint: .*in a private network.*--local-endpoints$/],
    ["http", "http://169.254.169.254/latest", /Unreachable Endpoint: .*never called$/],
    ["http", `${it.server.endpoint}/_lambent/clock`, /Unreachable Endpoint: .*server's own API$/],
    ["email", "a@example.com", /^NotImplemented: .*protocol email/],
    ["sms", "+1555", /^NotImplemented: .*protocol sms/],
    ["firehose", "arn:aws:firehose:x", /^NotImplemented: .*Firehose/],
    ["application", "arn", /^NotImplemented: .*mobile push/],
  ];
  for (const [protocol, endpoint, expected, topic] of cases)
    assert.match(await subscribe(protocol, endpoint, topic), expected);
  // Functions' URLs lie there.
  const own = it.server.endpoint.replace("127.0.0.1", "abc.lambda-url.us-east-1.localhost");
  assert.equal(await subscribe("http", own), "(accepted)");
});

test("AddPermission and RemovePermission change the topic's policy; TagResource, UntagResource and ListTagsForResource its tags", async () => {
  const TopicArn = await it.topic();
  const grant = { TopicArn, Label: "mine", AWSAccountId: ["111111111111"], ActionName: ["Publish"] };
  await sns.send(new AddPermissionCommand(grant));
  const statements = async () =>
    (JSON.parse((await attributesOf(TopicArn))["Policy"] ?? "") as { Statement: object[] }).Statement;
  assert.deepEqual((await statements())[1], {
    Sid: "mine",
    Effect: "Allow",
    Principal: { AWS: "arn:aws:iam::111111111111:root" },
    Action: "SNS:Publish",
    Resource: TopicArn,
  });
  assert.match(await refusal(sns.send(new AddPermissionCommand(grant))), /Statement already exists/);
  assert.match(
    await refusal(sns.send(new AddPermissionCommand({ ...grant, Label: "b", ActionName: ["CreateTopic"] }))),
    /out of service scope/,
  );
  await sns.send(new RemovePermissionCommand({ TopicArn, Label: "mine" }));
  assert.equal((await statements()).length, 1);
  const Tags = [
    { Key: "a", Value: "1" },
    { Key: "b", Value: "2" },
  ];
  await sns.send(new TagResourceCommand({ ResourceArn: TopicArn, Tags }));
  await sns.send(new UntagResourceCommand({ ResourceArn: TopicArn, TagKeys: ["a"] }));
  const listed = await sns.send(new ListTagsForResourceCommand({ ResourceArn: TopicArn }));
  assert.deepEqual(listed.Tags, [{ Key: "b", Value: "2" }]);
  const many = Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: "" }));
  assert.match(
    await refusal(sns.send(new TagResourceCommand({ ResourceArn: TopicArn, Tags: many }))),
    /^TagLimitExceededException/,
  );
  assert.match(
    await refusal(sns.send(new ListTagsForResourceCommand({ ResourceArn: `${TopicArn}-none` }))),
    /^ResourceNotFoundException: Resource does not exist$/,
  );
});
