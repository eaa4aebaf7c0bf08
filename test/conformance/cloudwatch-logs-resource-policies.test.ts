/** Resource policies of CloudWatch Logs: how they are kept, and that they say which services may write to groups. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DeleteResourcePolicyCommand,
  DescribeResourcePoliciesCommand,
  FilterLogEventsCommand,
  PutResourcePolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";

const ACCOUNT = "000000000000";
const GROUP = "/aws/events/audit";
const ARN = `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:${GROUP}`;

let setting: EventSetting;
let logs: CloudWatchLogsClient;
before(async () => {
  setting = await startEvents();
  logs = new CloudWatchLogsClient(setting.server.client());
  await logs.send(new CreateLogGroupCommand({ logGroupName: GROUP }));
});
after(async () => {
  logs.destroy();
  await setting.stop();
});

interface Statement {
  readonly Effect?: "Allow" | "Deny";
  readonly Principal?: unknown;
  readonly Action?: string | readonly string[];
  readonly Resource?: string;
  readonly Condition?: object;
}

function documentOf(...statements: readonly Statement[]): string {
  const Principal = { Service: ["events.amazonaws.com", "delivery.logs.amazonaws.com"] };
  const Action = ["logs:CreateLogStream", "logs:PutLogEvents"];
  const Statement = statements.map((one, index) => ({
    Sid: `s${index}`,
    Effect: "Allow",
    Principal,
    Action,
    Resource: `${ARN}:*`,
    ...one,
  }));
  return JSON.stringify({ Version: "2012-10-17", Statement });
}
const put = (policyName: string, policyDocument: string, more: object = {}) =>
  logs.send(new PutResourcePolicyCommand({ policyName, policyDocument, ...more }));
const remove = (policyName: string) => logs.send(new DeleteResourcePolicyCommand({ policyName }));
const names = async () => {
  const { resourcePolicies = [] } = await logs.send(new DescribeResourcePoliciesCommand({}));
  return resourcePolicies.map(({ policyName }) => policyName);
};

test("PutResourcePolicy keeps ten of an account, DescribeResourcePolicies lists them, DeleteResourcePolicy removes one", async () => {
  const { resourcePolicy } = await put("one", documentOf({}));
  assert.deepEqual([resourcePolicy?.policyName, resourcePolicy?.policyDocument], ["one", documentOf({})]);
  assert.ok(Date.now() - (resourcePolicy?.lastUpdatedTime ?? 0) < 60_000);
  const others = Array.from({ length: 9 }, (_, n) => `other-${n}`);
  for (const name of others) await put(name, documentOf({}));
  await assert.rejects(put("eleventh", documentOf({})), { name: "LimitExceededException" });
  await put("one", documentOf({ Action: "logs:PutLogEvents" }));
  const page = await logs.send(new DescribeResourcePoliciesCommand({ limit: 4 }));
  const rest = await logs.send(new DescribeResourcePoliciesCommand({ nextToken: page.nextToken }));
  assert.deepEqual(
    [...(page.resourcePolicies ?? []), ...(rest.resourcePolicies ?? [])].map(({ policyName }) => policyName),
    ["one", ...others],
  );
  const elsewhere = new CloudWatchLogsClient({ ...setting.server.client(), region: "eu-west-1" });
  assert.deepEqual((await elsewhere.send(new DescribeResourcePoliciesCommand({}))).resourcePolicies, []);
  elsewhere.destroy();
  for (const name of ["one", ...others]) await remove(name);
  assert.deepEqual(await names(), []);
  await assert.rejects(remove("one"), {
    name: "ResourceNotFoundException",
    message: "Policy with name [one] does not exist.",
  });
});

test("PutResourcePolicy refuses what is no policy, and by name what is not done", async () => {
  const invalid = { name: "InvalidParameterException" };
  for (const document of ["{", "{}", documentOf({ Action: [] }), documentOf({ Effect: "Maybe" as "Allow" })])
    await assert.rejects(put("bad", document), invalid, document);
  const notDone = (message: RegExp) => ({ name: "NotImplemented", message });
  await assert.rejects(put("bad", documentOf({}), { resourceArn: ARN }), notDone(/resourceArn/));
  await assert.rejects(
    put("bad", documentOf({ Principal: { AWS: "111122223333" } })),
    notDone(/principals other than services/),
  );
  await assert.rejects(
    put("bad", documentOf({ Effect: "Deny", Principal: "*" })),
    notDone(/principals other than services/),
  );
  assert.deepEqual(await names(), []);
});

test("a rule's events come to a log group only where a policy lets EventBridge write, for that rule", async () => {
  const letters = await setting.queue();
  const EventBusName = await setting.bus();
  const target = { Arn: ARN, DeadLetterConfig: { Arn: letters.arn } };
  await setting.rule({ EventBusName, EventPattern: '{"source":[{"prefix":""}]}' }, target);
  const refused = async () => {
    await setting.put({ EventBusName, Detail: "{}" });
    const [letter] = await letters.receive({ WaitTimeSeconds: 5 });
    if (letter) await letters.delete(letter);
    assert.equal(letter?.MessageAttributes?.["ERROR_CODE"]?.StringValue, "NO_PERMISSIONS");
    assert.match(letter?.MessageAttributes?.["ERROR_MESSAGE"]?.StringValue ?? "", /PutResourcePolicy/);
  };
  await refused();
  await put("p", documentOf({ Action: "logs:PutLogEvents" }));
  await refused();
  await put("p", documentOf({ Resource: ARN.replace("audit", "other:*") }));
  await refused();
  const ofRule = (rule: string) => ({
    Condition: { ArnLike: { "aws:SourceArn": `arn:aws:events:us-east-1:${ACCOUNT}:rule/${rule}` } },
  });
  await put("p", documentOf(ofRule("nobody/*")));
  await refused();
  await put("p", documentOf(ofRule(`${EventBusName}/*`)));
  await setting.put({ EventBusName, Detail: '{"n":1}' });
  const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: GROUP }));
  assert.equal(events.length, 1);
  await put("q", documentOf({ Effect: "Deny" }));
  await refused();
});
