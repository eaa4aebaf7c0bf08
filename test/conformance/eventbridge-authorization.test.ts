/** What users need to be allowed of EventBridge, by AWS's actions, ARNs and condition keys. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  DescribeRuleCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutPermissionCommand,
  PutRuleCommand,
  PutTargetsCommand,
  StartReplayCommand,
} from "@aws-sdk/client-eventbridge";
import { refusal, startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";
import { makeUser } from "../harness/principals.ts";
import type { TestUser } from "../harness/principals.ts";

const ARN = "arn:aws:events:us-east-1:000000000000";
let setting: EventSetting;
let user: TestUser;
let client: EventBridgeClient;
before(async () => {
  setting = await startEvents();
  user = await makeUser(setting.server.client(), "operator");
  client = new EventBridgeClient(user.options);
});
after(async () => {
  client.destroy();
  await setting.stop();
});

const denied = (action: string, resource: string) =>
  `AccessDeniedException: User: ${user.arn} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;

test("PutEvents needs events:PutEvents on each entry's bus, and heeds events:source; a bus's policy is enough within the account", async () => {
  const EventBusName = await setting.bus();
  const put = (Source: string, bus?: string) =>
    refusal(
      client.send(
        new PutEventsCommand({ Entries: [{ Source, DetailType: "t", Detail: "{}", EventBusName: bus }] }),
      ),
    );
  assert.equal(await put("a"), denied("events:PutEvents", `${ARN}:event-bus/default`));
  const Condition = { StringEquals: { "events:source": "shop" } };
  await user.may({ Action: "events:PutEvents", Resource: `${ARN}:event-bus/default`, Condition });
  assert.equal(await put("shop"), "(accepted)");
  assert.match(await put("other"), /^AccessDeniedException/);
  assert.equal(
    await put("shop", EventBusName),
    denied("events:PutEvents", `${ARN}:event-bus/${EventBusName}`),
  );
  const statement = { Effect: "Allow", Principal: { AWS: user.arn }, Action: "events:PutEvents" };
  const Policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ ...statement, Resource: `${ARN}:event-bus/${EventBusName}` }],
  });
  await setting.client.send(new PutPermissionCommand({ EventBusName, Policy }));
  assert.equal(await put("anything", EventBusName), "(accepted)");
});

test("rules and targets are asked for by the rule's ARN, a role that is passed too, archives by their own", async () => {
  const EventPattern = '{"source":["a"]}';
  const putRule = () => refusal(client.send(new PutRuleCommand({ Name: "mine", EventPattern })));
  assert.equal(await putRule(), denied("events:PutRule", `${ARN}:rule/mine`));
  await user.may({ Action: ["events:PutRule", "events:PutTargets"], Resource: `${ARN}:rule/m*` });
  assert.equal(await putRule(), "(accepted)");
  assert.equal(
    await refusal(client.send(new DescribeRuleCommand({ Name: "mine" }))),
    denied("events:DescribeRule", `${ARN}:rule/mine`),
  );
  const RoleArn = "arn:aws:iam::000000000000:role/r";
  const Targets = [{ Id: "a", Arn: "arn:aws:kinesis:us-east-1:000000000000:stream/s", RoleArn }];
  const putTargets = () => refusal(client.send(new PutTargetsCommand({ Rule: "mine", Targets })));
  assert.equal(await putTargets(), denied("iam:PassRole", RoleArn));
  const Condition = { StringEquals: { "iam:PassedToService": "events.amazonaws.com" } };
  await user.may({ Action: "events:PutTargets" }, { Action: "iam:PassRole", Resource: RoleArn, Condition });
  assert.equal(await putTargets(), "(accepted)");
  const replay = new StartReplayCommand({
    ReplayName: "r",
    EventSourceArn: `${ARN}:archive/a`,
    EventStartTime: new Date(0),
    EventEndTime: new Date(1),
    Destination: { Arn: `${ARN}:event-bus/default` },
  });
  assert.equal(await refusal(client.send(replay)), denied("events:StartReplay", `${ARN}:replay/r`));
});

test("another account's rules and buses are closed, even to its root", async () => {
  const root = new EventBridgeClient(setting.server.client({ account: "222222222222" }));
  const EventBusName = `${ARN}:event-bus/default`;
  assert.match(
    await refusal(root.send(new DescribeRuleCommand({ Name: "mine", EventBusName }))),
    /^AccessDeniedException: .*events:DescribeRule/,
  );
  root.destroy();
});
