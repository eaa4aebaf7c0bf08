/** Rules and their targets: what is taken, what is told, and what is refused in which words. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  DeleteRuleCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  ListRuleNamesByTargetCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  TestEventPatternCommand,
} from "@aws-sdk/client-eventbridge";
import type { EventBridgeClient, PutRuleCommandInput, Target } from "@aws-sdk/client-eventbridge";
import { refusal, startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";

let setting: EventSetting;
let client: EventBridgeClient;
before(async () => {
  setting = await startEvents({ eventRules: 20 });
  ({ client } = setting);
});
after(() => setting.stop());

const PATTERN = '{"source":["test.app"]}';
const QUEUE = "arn:aws:sqs:us-east-1:000000000000:q";
const ROLE = "arn:aws:iam::000000000000:role/r";
const rule = (input: Partial<PutRuleCommandInput>) =>
  client.send(new PutRuleCommand({ Name: "r", ...input }));

test("PutRule, DescribeRule, ListRules, DisableRule, EnableRule and DeleteRule", async () => {
  const EventBusName = await setting.bus();
  const RoleArn = await setting.role("of-the-rule", "events:PutEvents");
  const made = await rule({ EventBusName, EventPattern: PATTERN, Description: "all", RoleArn });
  const arn = `arn:aws:events:us-east-1:000000000000:rule/${EventBusName}/r`;
  assert.equal(made.RuleArn, arn);
  const describeRule = async (Name = "r") => {
    const { $metadata: _, ...found } = await client.send(new DescribeRuleCommand({ Name, EventBusName }));
    return found;
  };
  const whole = {
    Name: "r",
    Arn: arn,
    EventBusName,
    EventPattern: PATTERN,
    Description: "all",
    RoleArn,
  };
  assert.deepEqual(await describeRule(), { ...whole, State: "ENABLED", CreatedBy: "000000000000" });
  await client.send(new DisableRuleCommand({ Name: "r", EventBusName }));
  assert.equal((await describeRule()).State, "DISABLED");
  await client.send(new EnableRuleCommand({ Name: "r", EventBusName }));
  assert.equal((await describeRule()).State, "ENABLED");
  await rule({ EventBusName, EventPattern: '{"source":["b"]}', State: "DISABLED" });
  const { Description, State, EventPattern } = await describeRule();
  assert.deepEqual([Description, State, EventPattern], [undefined, "DISABLED", '{"source":["b"]}']);
  await rule({ Name: "s", EventBusName, EventPattern: PATTERN });
  const list = async (input = {}) => client.send(new ListRulesCommand({ EventBusName, ...input }));
  assert.deepEqual(
    (await list()).Rules?.map(({ Name }) => Name),
    ["r", "s"],
  );
  assert.deepEqual(
    (await list({ NamePrefix: "s" })).Rules?.map(({ Arn }) => Arn),
    [arn.replace(/r$/, "s")],
  );
  const { NextToken } = await list({ Limit: 1 });
  assert.deepEqual(
    (await list({ NextToken })).Rules?.map(({ Name }) => Name),
    ["s"],
  );
  await client.send(new DeleteRuleCommand({ Name: "r", EventBusName }));
  await client.send(new DeleteRuleCommand({ Name: "r", EventBusName }));
  assert.equal(
    await refusal(describeRule()),
    `ResourceNotFoundException: Rule r does not exist on EventBus ${EventBusName}.`,
  );
});

test("a rule that cannot be is refused in AWS's words", async () => {
  const refused = async (input: Partial<PutRuleCommandInput>, what: string | RegExp) => {
    const said = await refusal(rule(input));
    if (typeof what === "string") assert.equal(said, what);
    else assert.match(said, what);
  };
  await refused(
    {},
    "ValidationException: Parameter(s) EventPattern or ScheduleExpression must be specified.",
  );
  await refused(
    { EventBusName: "nothing", EventPattern: PATTERN },
    "ResourceNotFoundException: Event bus nothing does not exist.",
  );
  await refused({ EventPattern: PATTERN, Name: "a b" }, /^ValidationException: .*'name' failed to satisfy/);
  for (const [pattern, reason] of [
    ['{"a": 42}', '"a" must be an object or an array'],
    ['{"a": []}', "Empty arrays are not allowed"],
    ['{"a": [{"EXISTS": true}]}', "Unrecognized match type EXISTS"],
    ['{"a": [{"numeric": [">", 0, ">", 0]}]}', "Bad numeric range operator: >"],
    ['{"a": [{"cidr": "x"}]}', "Malformed CIDR, one '/' required"],
    ['["a"]', "Filter is not an object"],
  ] as const)
    await refused(
      { EventPattern: pattern },
      `InvalidEventPatternException: Event pattern is not valid. Reason: ${reason}`,
    );
  await refused({ EventPattern: `{"a":["${"x".repeat(4_096)}"]}` }, /^ValidationException: .*4096/);
  await refused(
    { EventPattern: PATTERN, State: "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" },
    /^NotImplemented: .*ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS/,
  );
  await refused(
    { ScheduleExpression: "rate(1 minutes)" },
    /^ValidationException: Parameter ScheduleExpression is not valid\./,
  );
  await refused(
    { ScheduleExpression: "rate(1 minute)", EventBusName: await setting.bus() },
    "ValidationException: ScheduleExpression is supported only on the default event bus.",
  );
  const RoleArn = "arn:aws:iam::000000000000:role/nobody";
  await refused(
    { EventPattern: PATTERN, RoleArn },
    `ValidationException: Provided role '${RoleArn}' cannot be assumed by principal 'events.amazonaws.com'.`,
  );
  const EventBusName = await setting.bus();
  for (let at = 0; at < 20; at++) await rule({ Name: `r${at}`, EventBusName, EventPattern: PATTERN });
  await refused(
    { Name: "more", EventBusName, EventPattern: PATTERN },
    "LimitExceededException: The requested resource exceeds the maximum number allowed.",
  );
  await rule({ Name: "r3", EventBusName, EventPattern: PATTERN });
});

test("PutTargets, ListTargetsByRule, ListRuleNamesByTarget and RemoveTargets", async () => {
  const EventBusName = await setting.bus();
  const Rule = await setting.rule({ EventBusName, EventPattern: PATTERN });
  const Targets: Target[] = [
    {
      Id: "a",
      Arn: QUEUE,
      InputTransformer: { InputPathsMap: { x: "$.detail.x" }, InputTemplate: '"<x>"' },
      RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 60 },
      DeadLetterConfig: { Arn: `${QUEUE}-dlq` },
    },
    { Id: "b", Arn: `${QUEUE}.fifo`, SqsParameters: { MessageGroupId: "g" }, InputPath: "$.detail" },
    { Id: "c", Arn: "arn:aws:kinesis:us-east-1:000000000000:stream/s", RoleArn: ROLE, Input: "{}" },
  ];
  const put = await client.send(new PutTargetsCommand({ EventBusName, Rule, Targets }));
  assert.deepEqual([put.FailedEntryCount, put.FailedEntries], [0, []]);
  const list = async (input = {}) =>
    client.send(new ListTargetsByRuleCommand({ EventBusName, Rule, ...input }));
  assert.deepEqual((await list()).Targets, Targets);
  const { NextToken } = await list({ Limit: 2 });
  assert.deepEqual((await list({ NextToken })).Targets, Targets.slice(2));
  const rules = async (TargetArn: string) =>
    (await client.send(new ListRuleNamesByTargetCommand({ TargetArn, EventBusName }))).RuleNames;
  assert.deepEqual(await rules(QUEUE), [Rule]);
  assert.deepEqual(await rules(`${QUEUE}x`), []);
  assert.equal(
    await refusal(client.send(new DeleteRuleCommand({ Name: Rule, EventBusName }))),
    "ValidationException: Rule can't be deleted since it has targets.",
  );
  const more = ["d", "e", "f"].map((Id) => ({ Id, Arn: QUEUE }));
  assert.equal(
    await refusal(client.send(new PutTargetsCommand({ EventBusName, Rule, Targets: more }))),
    "LimitExceededException: The requested resource exceeds the maximum number allowed.",
  );
  const removed = await client.send(
    new RemoveTargetsCommand({ EventBusName, Rule, Ids: ["a", "b", "c", "x"] }),
  );
  assert.deepEqual(
    removed.FailedEntries?.map(({ TargetId, ErrorCode }) => [TargetId, ErrorCode]),
    [["x", "ResourceNotFoundException"]],
  );
  assert.deepEqual((await list()).Targets, []);
  assert.equal(
    await refusal(client.send(new PutTargetsCommand({ Rule: "none", Targets: [{ Id: "a", Arn: QUEUE }] }))),
    "ResourceNotFoundException: Rule none does not exist on EventBus default.",
  );
});

test("a target that cannot be is refused in AWS's words, one of a missing service by name", async () => {
  const Rule = await setting.rule({ EventPattern: PATTERN });
  const lambda = "arn:aws:lambda:us-east-1:000000000000:function:f";
  const refused = async (target: Partial<Target>, what: string | RegExp) => {
    const Targets = [{ Id: "a", Arn: QUEUE, ...target }];
    const said = await refusal(client.send(new PutTargetsCommand({ Rule, Targets })));
    if (typeof what === "string") assert.equal(said, what);
    else assert.match(said, what);
  };
  await refused(
    { Arn: "x" },
    "ValidationException: Parameter x is not valid. Reason: Provided Arn is not in correct format.",
  );
  await refused(
    { Arn: `${QUEUE}.fifo` },
    "ValidationException: Parameter(s) MessageGroupId must be specified for target: a.",
  );
  const stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
  await refused({ Arn: stream }, `ValidationException: RoleArn is required for target ${stream}.`);
  await refused(
    { Arn: lambda.replace("us-east-1", "us-west-2") },
    /^ValidationException: .*rule's region, us-east-1/,
  );
  await refused(
    { Arn: "arn:aws:states:us-east-1:000000000000:stateMachine:m" },
    /^NotImplemented: .*'states'/,
  );
  await refused(
    { Arn: "arn:aws:firehose:us-east-1:000000000000:deliverystream/d" },
    /^NotImplemented: .*'firehose'/,
  );
  await refused(
    { EcsParameters: { TaskDefinitionArn: "arn:aws:ecs:t" } },
    /^NotImplemented: .*EcsParameters/,
  );
  await refused(
    { Arn: lambda, KinesisParameters: { PartitionKeyPath: "$.id" } },
    /^ValidationException: .*KinesisParameters/,
  );
  await refused({ Input: "{" }, /^ValidationException: JSON syntax error in input for target a/);
  await refused({ Input: `"${"x".repeat(8_192)}"` }, /^ValidationException: .*8192/);
  await refused({ InputPath: "detail" }, /^ValidationException: Invalid InputPath for target a/);
  const template = (InputTemplate: string, InputPathsMap: Record<string, string> = { x: "$.a" }) => ({
    InputTransformer: { InputPathsMap, InputTemplate },
  });
  await refused(
    { ...template('"<x>"'), InputPath: "$.detail" },
    "ValidationException: Only one of Input, InputPath, or InputTransformer must be provided for target a.",
  );
  await refused(
    template('"<y>"'),
    "ValidationException: InputTemplate for target a contains invalid placeholder y.",
  );
  await refused(template("<x> is"), /^ValidationException: Invalid InputTemplate for target a/);
  await refused(template('"<x>"', { x: "a" }), /^ValidationException: .*not a JSON path/);
  await refused(
    template('"<x>"', { x: "$.a", "aws.events.rule-arn": "$.b" }),
    /reserved name aws\.events\.rule-arn|^ValidationException/,
  );
  for (const Arn of [`${QUEUE}.fifo`, QUEUE.replace("us-east-1", "eu-west-1")])
    await refused(
      { DeadLetterConfig: { Arn } },
      /^ValidationException: .*standard SQS queue in the region us-east-1/,
    );
  await refused({ RetryPolicy: { MaximumRetryAttempts: 186 } }, /^ValidationException: .*185/);
  const group = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/events/g";
  const onlyTransformer =
    "ValidationException: Input and InputPath are not valid forms of input for target a. The only valid form of input is InputTransformer.";
  await refused({ Arn: group, Input: "{}" }, onlyTransformer);
  await refused({ Arn: group, InputPath: "$.detail" }, onlyTransformer);
  await refused(
    { Arn: group, RoleArn: "arn:aws:iam::000000000000:role/r" },
    `ValidationException: RoleArn is not supported for target ${group}.`,
  );
  const bus = "arn:aws:events:us-east-1:000000000000:event-bus/b";
  for (const input of [{ Input: "{}" }, { InputPath: "$.detail" }, template('"<x>"')])
    await refused(
      { Arn: bus, ...input },
      "ValidationException: Modifying the input for target a is not supported.",
    );
});

test("TestEventPattern: whether a pattern matches an event", async () => {
  const event = {
    id: "1",
    account: "000000000000",
    source: "shop",
    time: "2026-11-30T00:00:00Z",
    region: "us-east-1",
    resources: [],
    "detail-type": "Order",
    detail: { price: 12.5, items: ["a", "b"], ip: "10.1.2.3" },
  };
  const tested = async (pattern: object, what: unknown = event) =>
    (
      await client.send(
        new TestEventPatternCommand({ EventPattern: JSON.stringify(pattern), Event: JSON.stringify(what) }),
      )
    ).Result;
  assert.equal(await tested({ source: ["shop"], detail: { items: ["b"] } }), true);
  assert.equal(await tested({ detail: { price: [{ numeric: [">", 12, "<=", 12.5] }] } }), true);
  assert.equal(await tested({ detail: { ip: [{ cidr: "10.0.0.0/8" }] } }), true);
  assert.equal(await tested({ $or: [{ source: ["x"] }, { "detail-type": [{ wildcard: "O*r" }] }] }), true);
  assert.equal(await tested({ source: [{ "anything-but": { suffix: "op" } }] }), false);
  assert.equal(await tested({ "detail.price": [12.5] }), true);
  assert.equal(
    await refusal(tested({}, event)),
    "InvalidEventPatternException: Event pattern is not valid. Reason: Empty objects are not allowed",
  );
  assert.equal(
    await refusal(tested({ a: ["b"] }, "text")),
    "ValidationException: Parameter Event is not valid.",
  );
  assert.equal(await refusal(tested({ a: ["b"] }, {})), "ValidationException: Parameter Event is not valid.");
});
