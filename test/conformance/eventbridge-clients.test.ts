/** EventBridge as the AWS CLI and boto3 use it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { missingClient, runClient } from "../harness/client-programs.ts";
import { startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";

const withoutCli = await missingClient("aws", ["--version"]);
const withoutBoto = await missingClient("python3", ["-c", "import boto3"]);
let setting: EventSetting;
before(async () => {
  setting = await startEvents();
});
after(() => setting.stop());

test("the AWS CLI puts a rule, a target and events", { skip: withoutCli }, async () => {
  const queue = await setting.queue();
  const aws = async (...parameters: string[]) =>
    JSON.parse(
      (await runClient(setting.server, "aws", ["events", ...parameters, "--output", "json"])) || "{}",
    ) as Record<string, unknown>;
  const rule = await aws("put-rule", "--name", "cli", "--event-pattern", '{"source":["cli"]}');
  assert.equal(rule["RuleArn"], "arn:aws:events:us-east-1:000000000000:rule/cli");
  await aws("put-targets", "--rule", "cli", "--targets", `Id=q,Arn=${queue.arn}`);
  const put = await aws("put-events", "--entries", "Source=cli,DetailType=t,Detail='{\"n\":1}'");
  assert.equal(put["FailedEntryCount"], 0);
  assert.match((await queue.bodies())[0] ?? "", /"source":"cli".*"detail":\{"n":1\}/);
});

const PROGRAM = `
import boto3, json, sys
events = boto3.client("events")
events.create_event_bus(Name="boto")
events.put_rule(Name="r", EventBusName="boto", EventPattern=json.dumps({"detail": {"n": [{"numeric": [">", 1]}]}}))
events.put_targets(Rule="r", EventBusName="boto", Targets=[{"Id": "q", "Arn": sys.argv[1], "InputPath": "$.detail.n"}])
entries = [{"Source": "b", "DetailType": "t", "Detail": json.dumps({"n": n}), "EventBusName": "boto"} for n in range(4)]
answer = events.put_events(Entries=entries)
try:
    events.describe_rule(Name="none")
except events.exceptions.ResourceNotFoundException as error:
    print(answer["FailedEntryCount"], error.response["Error"]["Message"])
`;

test(
  "boto3 makes a bus, puts events that rules choose, and knows the errors",
  { skip: withoutBoto },
  async () => {
    const queue = await setting.queue();
    const said = await runClient(setting.server, "python3", ["-c", PROGRAM, queue.arn]);
    assert.equal(said, "0 Rule none does not exist on EventBus default.\n");
    assert.deepEqual(await queue.bodies(), ["2", "3"]);
  },
);
