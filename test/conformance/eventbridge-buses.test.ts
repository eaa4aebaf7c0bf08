/** Event buses: what they are like, who may put events on them, their tags; and what is not built. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  ActivateEventSourceCommand,
  CreateApiDestinationCommand,
  CreateConnectionCommand,
  CreateEndpointCommand,
  CreateEventBusCommand,
  CreatePartnerEventSourceCommand,
  DeleteEventBusCommand,
  DescribeEventBusCommand,
  EventBridgeClient,
  ListEventBusesCommand,
  ListTagsForResourceCommand,
  PutEventsCommand,
  PutPermissionCommand,
  RemovePermissionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateEventBusCommand,
} from "@aws-sdk/client-eventbridge";
import { refusal, startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";

let setting: EventSetting;
let client: EventBridgeClient;
before(async () => {
  setting = await startEvents();
  ({ client } = setting);
});
after(() => setting.stop());

const busArn = (name: string, account = "000000000000") =>
  `arn:aws:events:us-east-1:${account}:event-bus/${name}`;
const describeBus = (Name?: string) => client.send(new DescribeEventBusCommand({ Name }));

test("CreateEventBus, DescribeEventBus, UpdateEventBus, ListEventBuses and DeleteEventBus", async () => {
  const made = await client.send(new CreateEventBusCommand({ Name: "orders", Description: "of the shop" }));
  assert.equal(made.EventBusArn, busArn("orders"));
  assert.equal(made.Description, "of the shop");
  const bus = await describeBus("orders");
  assert.equal(bus.Arn, busArn("orders"));
  assert.equal(bus.Policy, undefined);
  assert.ok(Math.abs((bus.CreationTime?.getTime() ?? 0) - Date.now()) < 10_000);
  await client.send(new UpdateEventBusCommand({ Name: "orders", Description: "of two shops" }));
  assert.equal((await describeBus(busArn("orders"))).Description, "of two shops");
  await client.send(new CreateEventBusCommand({ Name: "payments" }));
  const names = async (input = {}) =>
    (await client.send(new ListEventBusesCommand(input))).EventBuses?.map(({ Name }) => Name);
  assert.deepEqual(await names(), ["default", "orders", "payments"]);
  assert.deepEqual(await names({ NamePrefix: "pay" }), ["payments"]);
  const first = await client.send(new ListEventBusesCommand({ Limit: 2 }));
  assert.equal(first.EventBuses?.length, 2);
  assert.deepEqual(await names({ NextToken: first.NextToken }), ["payments"]);
  await client.send(new DeleteEventBusCommand({ Name: "payments" }));
  await client.send(new DeleteEventBusCommand({ Name: "payments" }));
  assert.deepEqual(await names({ NamePrefix: "pay" }), []);
});

test("a bus keeps a dead-letter queue, a standard one, which an update replaces or takes away", async () => {
  const queue = (name: string) => ({ Arn: `arn:aws:sqs:us-east-1:000000000000:${name}` });
  const Name = "with-letters";
  const made = await client.send(new CreateEventBusCommand({ Name, DeadLetterConfig: queue("letters") }));
  assert.deepEqual(made.DeadLetterConfig, queue("letters"));
  const update = (DeadLetterConfig?: object) =>
    client.send(new UpdateEventBusCommand({ Name, DeadLetterConfig }));
  assert.deepEqual((await update()).DeadLetterConfig, queue("letters"));
  await update(queue("others"));
  assert.deepEqual((await describeBus(Name)).DeadLetterConfig, queue("others"));
  assert.match(await refusal(update(queue("x.fifo"))), /^ValidationException: .*standard SQS queue/);
  await update({});
  assert.equal((await describeBus(Name)).DeadLetterConfig, undefined);
  await client.send(new DeleteEventBusCommand({ Name }));
});

test("the default bus is there in every account and region, and stays", async () => {
  const elsewhere = new EventBridgeClient(
    setting.server.client({ account: "111111111111", region: "eu-west-1" }),
  );
  const bus = await elsewhere.send(new DescribeEventBusCommand({}));
  assert.equal(bus.Arn, "arn:aws:events:eu-west-1:111111111111:event-bus/default");
  assert.equal(
    await refusal(client.send(new DeleteEventBusCommand({ Name: "default" }))),
    "ValidationException: Cannot delete event bus default.",
  );
  elsewhere.destroy();
});

test("what is wrong with a request about a bus is told in AWS's words", async () => {
  const missing = "ResourceNotFoundException: Event bus nothing does not exist.";
  assert.equal(await refusal(describeBus("nothing")), missing);
  assert.equal(
    await refusal(client.send(new PutPermissionCommand({ EventBusName: "nothing", Policy: "{}" }))),
    "ValidationException: Parameter Policy is not valid. Reason: Syntax errors in policy.",
  );
  const Name = await setting.bus();
  assert.equal(
    await refusal(client.send(new CreateEventBusCommand({ Name }))),
    `ResourceAlreadyExistsException: Event bus ${Name} already exists.`,
  );
  const rule = await setting.rule({ EventBusName: Name, EventPattern: '{"source":["a"]}' });
  assert.match(
    await refusal(client.send(new DeleteEventBusCommand({ Name }))),
    /^ValidationException: Event bus .* can't be deleted since it has rules/,
  );
  assert.ok(rule);
});

test("API destinations and sign-ins on this machine are refused, where the server was not started to call them", async () => {
  const endpoint = "http://localhost:3000/hook";
  const refused =
    /^ValidationException: Parameter \w+ is not valid\. Reason: http.* on this machine.*--local-endpoints\.$/;
  const connection = (Name: string, AuthorizationEndpoint: string) =>
    client.send(
      new CreateConnectionCommand({
        Name,
        AuthorizationType: "OAUTH_CLIENT_CREDENTIALS",
        AuthParameters: {
          OAuthParameters: {
            ClientParameters: { ClientID: "a", ClientSecret: "b" },
            AuthorizationEndpoint,
            HttpMethod: "POST",
          },
        },
      }),
    );
  assert.match(await refusal(connection("near", endpoint)), refused);
  const { ConnectionArn } = await connection("far", `${setting.server.endpoint}/token`);
  const destination = new CreateApiDestinationCommand({
    Name: "near",
    ConnectionArn,
    InvocationEndpoint: endpoint,
    HttpMethod: "POST",
  });
  assert.match(await refusal(client.send(destination)), refused);
});

test("what needs other services is refused by name", async () => {
  const refused = async (request: Promise<unknown>, what: RegExp) =>
    assert.match(await refusal(request), what);
  await refused(
    client.send(new CreateEventBusCommand({ Name: "x", KmsKeyIdentifier: "alias/k" })),
    /^NotImplemented: .*KMS.*alias\/k/,
  );
  await refused(
    client.send(new CreateEventBusCommand({ Name: "x", LogConfig: { Level: "INFO" } })),
    /^NotImplemented: .*LogConfig\.Level INFO/,
  );
  await refused(
    client.send(new CreateEventBusCommand({ Name: "aws.partner/a/b", EventSourceName: "aws.partner/a/b" })),
    /^NotImplemented: .*partner event sources/,
  );
  await refused(
    client.send(new CreatePartnerEventSourceCommand({ Name: "aws.partner/a/b", Account: "000000000000" })),
    /^NotImplemented: .*CreatePartnerEventSource/,
  );
  await refused(
    client.send(new ActivateEventSourceCommand({ Name: "aws.partner/a/b" })),
    /^NotImplemented: .*ActivateEventSource/,
  );
  const RoutingConfig = {
    FailoverConfig: {
      Primary: { HealthCheck: "arn:aws:route53:::healthcheck/a" },
      Secondary: { Route: "us-west-2" },
    },
  };
  const EventBuses = [{ EventBusArn: busArn("default") }, { EventBusArn: busArn("default") }];
  await refused(
    client.send(new CreateEndpointCommand({ Name: "e", RoutingConfig, EventBuses })),
    /^NotImplemented: .*CreateEndpoint/,
  );
});

test("PutPermission lets other accounts put events, and RemovePermission takes it back", async () => {
  const EventBusName = await setting.bus();
  const arn = busArn(EventBusName);
  const other = new EventBridgeClient(setting.server.client({ account: "222222222222" }));
  const put = () =>
    other.send(
      new PutEventsCommand({
        Entries: [{ EventBusName: arn, Source: "a", DetailType: "b", Detail: "{}" }],
      }),
    );
  assert.match(await refusal(put()), /^AccessDeniedException: .*222222222222.*events:PutEvents on resource/);
  const permission = { EventBusName, Action: "events:PutEvents", StatementId: "two" };
  await client.send(new PutPermissionCommand({ ...permission, Principal: "222222222222" }));
  await client.send(
    new PutPermissionCommand({ ...permission, Principal: "333333333333", StatementId: "three" }),
  );
  const policy = async () =>
    JSON.parse((await describeBus(EventBusName)).Policy ?? "null") as { Statement: object[] };
  assert.deepEqual((await policy()).Statement[0], {
    Sid: "two",
    Effect: "Allow",
    Principal: { AWS: "arn:aws:iam::222222222222:root" },
    Action: "events:PutEvents",
    Resource: arn,
  });
  assert.equal((await put()).FailedEntryCount, 0);
  const remove = (input: object) => client.send(new RemovePermissionCommand({ EventBusName, ...input }));
  await remove({ StatementId: "two" });
  assert.equal((await policy()).Statement.length, 1);
  assert.match(await refusal(put()), /^AccessDeniedException/);
  assert.equal(
    await refusal(remove({ StatementId: "two" })),
    "ResourceNotFoundException: Statement with the provided id does not exist.",
  );
  await remove({ RemoveAllPermissions: true });
  assert.equal(await policy(), null);
  await client.send(new PutPermissionCommand({ ...permission, Principal: "*" }));
  assert.equal((await put()).FailedEntryCount, 0);
  const denial = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Deny",
        Principal: "*",
        Action: "events:PutEvents",
        Resource: arn,
        Condition: { StringEquals: { "events:source": "secret" } },
      },
    ],
  });
  await client.send(new PutPermissionCommand({ EventBusName, Policy: denial }));
  const nobody = denial.replace('"*"', '{"AWS":"arn:aws:iam::000000000000:role/nobody"}');
  assert.equal(
    await refusal(client.send(new PutPermissionCommand({ EventBusName, Policy: nobody }))),
    'ValidationException: Parameter Policy is not valid. Reason: Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:role/nobody"',
  );
  const own = (Source: string) =>
    client.send(new PutEventsCommand({ Entries: [{ EventBusName, Source, DetailType: "b", Detail: "{}" }] }));
  assert.equal((await own("open")).FailedEntryCount, 0);
  assert.match(await refusal(own("secret")), /^AccessDeniedException: .*explicit deny/);
  other.destroy();
});

test("TagResource, UntagResource and ListTagsForResource: of buses and rules", async () => {
  const EventBusName = await setting.bus();
  const Name = await setting.rule({
    EventBusName,
    EventPattern: '{"source":["a"]}',
    Tags: [{ Key: "made", Value: "with it" }],
  });
  const ruleArn = `arn:aws:events:us-east-1:000000000000:rule/${EventBusName}/${Name}`;
  const tags = async (ResourceARN: string) =>
    (await client.send(new ListTagsForResourceCommand({ ResourceARN }))).Tags;
  assert.deepEqual(await tags(ruleArn), [{ Key: "made", Value: "with it" }]);
  for (const ResourceARN of [ruleArn, busArn(EventBusName), busArn("default")]) {
    await client.send(
      new TagResourceCommand({
        ResourceARN,
        Tags: [
          { Key: "a", Value: "1" },
          { Key: "b", Value: "" },
        ],
      }),
    );
    await client.send(new UntagResourceCommand({ ResourceARN, TagKeys: ["a", "made"] }));
    assert.deepEqual(await tags(ResourceARN), [{ Key: "b", Value: "" }]);
  }
  assert.match(
    await refusal(
      client.send(new TagResourceCommand({ ResourceARN: ruleArn, Tags: [{ Key: "aws:x", Value: "" }] })),
    ),
    /^ValidationException: .*aws:x/,
  );
  assert.match(await refusal(tags(`${ruleArn}x`)), /^ResourceNotFoundException: Rule/);
});
