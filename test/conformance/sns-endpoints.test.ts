/** HTTP endpoints: confirmation, what they get, retries by their policies, and the links in messages. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  ConfirmSubscriptionCommand,
  GetSubscriptionAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import type { SNSClient } from "@aws-sdk/client-sns";
import { startEndpoint } from "../harness/http-endpoint.ts";
import type { TestEndpoint } from "../harness/http-endpoint.ts";
import { areRefused, startSns } from "../harness/sns.ts";
import { verifies } from "../harness/sns-signature.ts";
import type { SnsSetting } from "../harness/sns.ts";

let it: SnsSetting;
let sns: SNSClient;
before(async () => {
  it = await startSns({ localEndpoints: "on" });
  ({ sns } = it);
});
after(() => it.stop());

const json = (text: string) => JSON.parse(text) as Record<string, string>;
const publish = (TopicArn: string, Message: string) => sns.send(new PublishCommand({ TopicArn, Message }));

const subscribe = (TopicArn: string, { url }: TestEndpoint, Attributes: Record<string, string> = {}) =>
  sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "http",
      Endpoint: url,
      Attributes,
      ReturnSubscriptionArn: true,
    }),
  );

/** A subscription that its endpoint has confirmed by its first request. */
async function confirmed(TopicArn: string, endpoint: TestEndpoint, attributes: Record<string, string> = {}) {
  const { SubscriptionArn = "" } = await subscribe(TopicArn, endpoint, attributes);
  const response = await fetch(json((await endpoint.nth(1)).body)["SubscribeURL"] ?? "");
  assert.equal(response.status, 200);
  return SubscriptionArn;
}

test("Subscribe asks an endpoint; nothing is delivered until it has visited the link; then messages come, signed", async () => {
  await using endpoint = await startEndpoint(200);
  const TopicArn = await it.topic();
  const answer = await sns.send(new SubscribeCommand({ TopicArn, Protocol: "http", Endpoint: endpoint.url }));
  assert.equal(answer.SubscriptionArn, "pending confirmation");
  const listed = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
  assert.equal(listed.Subscriptions?.[0]?.SubscriptionArn, "PendingConfirmation");
  const { body, headers, method, url } = await endpoint.nth(1);
  assert.deepEqual(
    [method, url, headers["x-amz-sns-message-type"], headers["x-amz-sns-topic-arn"], headers["content-type"]],
    ["POST", "/hook", "SubscriptionConfirmation", TopicArn, "text/plain; charset=UTF-8"],
  );
  const question = json(body);
  assert.deepEqual(Object.keys(question), [
    "Type",
    "MessageId",
    "Token",
    "TopicArn",
    "Message",
    "SubscribeURL",
    "Timestamp",
    "SignatureVersion",
    "Signature",
    "SigningCertURL",
  ]);
  assert.equal(await verifies(question), true);
  await publish(TopicArn, "too early");
  const visited = await fetch(question["SubscribeURL"] ?? "");
  const arn = /<SubscriptionArn>(.*)<\/SubscriptionArn>/.exec(await visited.text())?.[1] ?? "";
  assert.match(arn, new RegExp(`^${TopicArn}:`));
  const { MessageId } = await publish(TopicArn, "in time");
  const notification = await endpoint.nth(2);
  assert.deepEqual(
    ["type", "id", "topic-arn", "subscription-arn"].map(
      (name) =>
        notification.headers[`x-amz-sns-${name === "type" || name === "id" ? "message-" : ""}${name}`],
    ),
    ["Notification", MessageId, TopicArn, arn],
  );
  const message = json(notification.body);
  assert.deepEqual([message["Message"], await verifies(message)], ["in time", true]);
  const { Attributes } = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }));
  assert.deepEqual(
    [Attributes?.["PendingConfirmation"], Attributes?.["ConfirmationWasAuthenticated"]],
    ["false", "false"],
  );
  // Whoever has the message may end it.
  assert.equal((await fetch(message["UnsubscribeURL"] ?? "")).status, 200);
  await publish(TopicArn, "too late");
  const left = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
  assert.deepEqual(left.Subscriptions, []);
  assert.equal((await endpoint.nth(3)).headers["x-amz-sns-message-type"], "UnsubscribeConfirmation");
});

test("an endpoint is told that its subscription was ended, and takes it up again by the link, within two days", async () => {
  await using endpoint = await startEndpoint(200);
  const TopicArn = await it.topic({ SignatureVersion: "2" });
  const attributes = { RawMessageDelivery: "true", FilterPolicy: '{"a":["b"]}' };
  const SubscriptionArn = await confirmed(TopicArn, endpoint, attributes);
  const end = () => sns.send(new UnsubscribeCommand({ SubscriptionArn }));
  await end();
  await end();
  const { body, headers } = await endpoint.nth(2);
  const told = json(body);
  assert.deepEqual(
    [
      headers["x-amz-sns-message-type"],
      headers["x-amz-sns-subscription-arn"],
      headers["x-amz-sns-rawdelivery"],
    ],
    ["UnsubscribeConfirmation", SubscriptionArn, undefined],
  );
  const { Type, Message, SignatureVersion } = told;
  assert.deepEqual(
    [Type, Message, SignatureVersion, await verifies(told)],
    [
      "UnsubscribeConfirmation",
      `You have chosen to deactivate subscription ${SubscriptionArn}.\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.`,
      "2",
      true,
    ],
  );
  const arns = async () => {
    const { Subscriptions = [] } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    return Subscriptions.map((one) => one.SubscriptionArn);
  };
  assert.deepEqual(await arns(), []);
  assert.equal((await fetch(told["SubscribeURL"] ?? "")).status, 200);
  assert.deepEqual(await arns(), [SubscriptionArn]);
  const { Attributes } = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }));
  assert.deepEqual(
    [Attributes?.["FilterPolicy"], Attributes?.["RawMessageDelivery"], Attributes?.["PendingConfirmation"]],
    ['{"a":["b"]}', "true", "false"],
  );
  const confirm = (json: Record<string, string>) =>
    sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token: json["Token"] }));
  assert.equal((await confirm(told)).SubscriptionArn, SubscriptionArn, "once more it says the same");
  // What its endpoint has got since holds.
  await end();
  const again = json((await endpoint.nth(3)).body);
  const other = await subscribe(TopicArn, endpoint);
  assert.equal((await confirm(again)).SubscriptionArn, other.SubscriptionArn);
  assert.deepEqual(await arns(), [other.SubscriptionArn]);
  // Of what is gone for good no token says anything.
  await sns.send(new UnsubscribeCommand({ SubscriptionArn: other.SubscriptionArn }));
  await areRefused([[confirm(told), /Invalid parameter: Token$/]]);
});

test("ConfirmSubscription takes the token; with AuthenticateOnUnsubscribe the link in messages ends nothing", async () => {
  await using endpoint = await startEndpoint(200);
  const TopicArn = await it.topic();
  await subscribe(TopicArn, endpoint, { RawMessageDelivery: "true" });
  const Token = json((await endpoint.nth(1)).body)["Token"];
  const confirm = (token: string | undefined) =>
    sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token: token, AuthenticateOnUnsubscribe: "true" }));
  await areRefused([[confirm("nonsense"), /^InvalidParameterException: Invalid parameter: Token$/]]);
  const { SubscriptionArn = "" } = await confirm(Token);
  await publish(TopicArn, "raw");
  const { body, headers } = await endpoint.nth(2);
  assert.deepEqual([body, headers["x-amz-sns-rawdelivery"]], ["raw", "true"]);
  const link = `${it.server.endpoint}/?Action=Unsubscribe&SubscriptionArn=${SubscriptionArn}`;
  const refused = await fetch(link);
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /<Code>AuthorizationError<\/Code>/);
  const unknown = await fetch(
    `${it.server.endpoint}/?Action=ConfirmSubscription&TopicArn=${TopicArn}&Token=x`,
  );
  assert.deepEqual(
    [unknown.status, (await unknown.text()).includes("Invalid parameter: Token")],
    [400, true],
  );
  assert.equal(
    (await fetch(`${it.server.endpoint}/SimpleNotificationService-${"0".repeat(32)}.pem`)).status,
    404,
  );
});

test("an endpoint that fails is asked again as its delivery policy says, one that refuses is not; both end as dead letters", async () => {
  await using failing = await startEndpoint(200, 500, 503, 500);
  await using refusing = await startEndpoint(200, 404);
  await using recovering = await startEndpoint(200, 500, 200);
  const dead = await it.open();
  const TopicArn = await it.topic();
  const attributes = {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn }),
    DeliveryPolicy: JSON.stringify({
      healthyRetryPolicy: { numRetries: 2, numNoDelayRetries: 2, minDelayTarget: 1, maxDelayTarget: 1 },
      requestPolicy: { headerContentType: "application/json" },
    }),
  };
  for (const endpoint of [failing, refusing, recovering]) await confirmed(TopicArn, endpoint, attributes);
  await publish(TopicArn, "m");
  await Promise.all([failing.nth(4), refusing.nth(2), recovering.nth(3)]);
  const [asked, , , message] = failing.received.map(({ headers }) => headers);
  assert.deepEqual(
    [asked?.["content-type"], message?.["content-type"], message?.["accept-encoding"]],
    ["text/plain; charset=UTF-8", "application/json", "gzip,deflate"],
  );
  const letters: string[] = [];
  while (letters.length < 2) {
    const messages = await dead.receive({ WaitTimeSeconds: 5 });
    letters.push(...messages.map(({ Body = "" }) => json(Body)["Message"] ?? ""));
    await dead.delete(...messages);
  }
  assert.deepEqual(letters, ["m", "m"]);
  assert.deepEqual(
    [failing, refusing, recovering].map(({ received }) => received.length),
    [4, 2, 3],
  );
  // At endpoints every attempt that fails counts, as on AWS.
  const { failed_total: failed, redriven_to_dlq_total: redriven } = await it.metrics(TopicArn);
  assert.deepEqual([failed, redriven], [5, 2]);
  const { Subscriptions = [] } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
  const SubscriptionArn = Subscriptions[0]?.SubscriptionArn;
  const told = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }));
  const effective = JSON.parse(told.Attributes?.["EffectiveDeliveryPolicy"] ?? "") as Record<
    string,
    Record<string, unknown>
  >;
  assert.deepEqual(
    [effective["healthyRetryPolicy"]?.["numRetries"], effective["healthyRetryPolicy"]?.["backoffFunction"]],
    [2, "linear"],
  );
  const set = (policy: object) =>
    sns.send(
      new SetSubscriptionAttributesCommand({
        SubscriptionArn,
        AttributeName: "DeliveryPolicy",
        AttributeValue: JSON.stringify(policy),
      }),
    );
  await areRefused([
    [
      set({ healthyRetryPolicy: { numRetries: 1, numNoDelayRetries: 2 } }),
      /numRetries must be greater than or equal/,
    ],
    [set({ healthyRetryPolicy: { minDelayTarget: 30, maxDelayTarget: 20 } }), /minDelayTarget/],
    [set({ healthyRetryPolicy: { numRetries: 100, maxDelayTarget: 600 } }), /total policy retry time/],
    [set({ throttlePolicy: { maxReceivesPerSecond: 0 } }), /maxReceivesPerSecond/],
    [set({ requestPolicy: { headerContentType: "image/png" } }), /headerContentType/],
    [set({ nonsense: {} }), /unknown member nonsense/],
  ]);
});
