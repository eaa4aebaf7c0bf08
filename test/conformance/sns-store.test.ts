/** Topics as other services use them, and over restarts and servers: on both engines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RequestContext } from "../../src/aws/service.ts";
import { createCourier, queueTarget } from "../../src/courier/index.ts";
import { createIam } from "../../src/services/iam/index.ts";
import { createSns } from "../../src/services/sns/index.ts";
import { createSqs } from "../../src/services/sqs/index.ts";
import type { Store } from "../../src/store/index.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { onEveryEngine } from "../store/engines.ts";
import type { TestStore } from "../store/engines.ts";

const ACCOUNT = "123456789012";
const region = "us-east-1";
const topic = (name: string) => `arn:aws:sns:${region}:${ACCOUNT}:${name}`;
const queue = (name: string) => `arn:aws:sqs:${region}:${ACCOUNT}:${name}`;
const BUCKET = { service: "s3.amazonaws.com", sourceArn: "arn:aws:s3:::bucket", sourceAccount: ACCOUNT };
const allow = (Service: string, Action: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service }, Action, Resource: "*" }],
  });

async function open({ options }: TestStore, store: Store) {
  const metrics = new Metrics(options.clock);
  const common = { ...options, ...store, metrics };
  const iam = await createIam(common);
  const { resourcePolicies: policies, roles } = iam;
  const sqs = await createSqs({ ...common, policies, roles });
  const courier = createCourier({ ...common, roles, targets: { sqs: queueTarget(sqs.intake) } });
  const sns = await createSns({ ...common, policies, roles, courier, endpoints: { fault: () => undefined } });
  const services = { sqs: sqs.service, sns: sns.service };
  return {
    topics: sns.topics,
    async operate(service: "sqs" | "sns", operation: string, input: object) {
      const principal = { type: "root", account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root` };
      const context = {
        account: ACCOUNT,
        region,
        endpoint: "http://localhost",
        operation,
        principal,
        headers: {},
      };
      const run = services[service].operations.get(operation);
      return (await run?.(input as never, context as unknown as RequestContext)) as Record<string, string>;
    },
    async bodies(name: string) {
      const { signal } = new AbortController();
      const asked = { max: 10, bytesMax: 1e6, waitMs: 0, signal };
      return (await sqs.reader.receive(queue(name), asked)).map(({ body }) => body);
    },
    async [Symbol.asyncDispose]() {
      await sns.stop();
      await sqs.stop();
      await iam.stop();
    },
  };
}

type Setting = Awaited<ReturnType<typeof open>>;

async function pair(it: Setting, fifo: boolean, Attributes: Record<string, string> = {}) {
  const end = fifo ? ".fifo" : "";
  const isFifo = fifo ? { FifoQueue: "true" } : {};
  const Policy = allow("sns.amazonaws.com", "sqs:SendMessage");
  await it.operate("sqs", "CreateQueue", { QueueName: `q${end}`, Attributes: { Policy, ...isFifo } });
  const ofTopic = fifo ? { FifoTopic: "true", ContentBasedDeduplication: "true" } : {};
  await it.operate("sns", "CreateTopic", { Name: `t${end}`, Attributes: { ...ofTopic, ...Attributes } });
  const subscription = { TopicArn: topic(`t${end}`), Protocol: "sqs", Endpoint: queue(`q${end}`) };
  return it.operate("sns", "Subscribe", subscription);
}

onEveryEngine("topics", (engine) => {
  test("other services publish in their transaction, or not at all, where the topic's policy lets them", async () => {
    await using state = await engine.fresh();
    await using it = await open(state, state.store);
    await pair(it, false, { Policy: allow("s3.amazonaws.com", "sns:Publish"), MaximumMessageSize: "1024" });
    const topicArn = topic("t");
    const checks = [BUCKET, { ...BUCKET, service: "events.amazonaws.com" }].map((one) =>
      it.topics.check(topicArn, one),
    );
    assert.deepEqual(await Promise.all(checks), ["ok", "denied"]);
    assert.equal(await it.topics.check(topic("none"), BUCKET), "missing");
    assert.deepEqual(
      [await it.topics.bytesMax(topicArn), await it.topics.bytesMax(topic("none"))],
      [1024, undefined],
    );
    const { database } = state.store;
    await assert.rejects(
      database.tx(async (tx) => {
        await it.topics.publish(tx, { topicArn, message: "undone" });
        throw new Error("no");
      }),
    );
    const answers = await database.tx(async (tx) => [
      await it.topics.publish(tx, { topicArn, message: "done", subject: "Subject" }),
      await it.topics.publish(tx, { topicArn: topic("none"), message: "m" }),
      await it.topics.publish(tx, { topicArn, message: "x".repeat(1_025) }),
    ]);
    assert.deepEqual(answers, ["published", "missing", "too-large"]);
    const [body = "", ...others] = await it.bodies("q");
    assert.deepEqual(others, []);
    const { Message, Signature = "" } = JSON.parse(body) as Record<string, string>;
    assert.deepEqual([Message, Buffer.from(Signature, "base64").length], ["done", 256]);
  });

  test("a FIFO topic knows a message again after a restart, for five minutes, and counts on; counts are told", async () => {
    await using state = await engine.fresh();
    const publish = { TopicArn: topic("t.fifo"), Message: "m", MessageGroupId: "g" };
    const first = await (async () => {
      await using it = await open(state, state.store);
      await pair(it, true);
      return it.operate("sns", "Publish", publish);
    })();
    const store = await state.reopen();
    await using next = await open(state, store);
    assert.deepEqual(await next.operate("sns", "Publish", publish), first);
    await state.clock.advance(300_001);
    const later = await next.operate("sns", "Publish", publish);
    assert.ok((later["SequenceNumber"] ?? "") > (first["SequenceNumber"] ?? ""));
    assert.equal((await next.bodies("q.fifo")).length, 2);
    const told = await next.operate("sns", "GetTopicAttributes", { TopicArn: topic("t.fifo") });
    const attributes = told["Attributes"] as unknown as Record<string, string>;
    assert.deepEqual([attributes["SubscriptionsConfirmed"], attributes["SubscriptionsPending"]], ["1", "0"]);
  });

  test("what waits to be confirmed is gone after two days", async () => {
    await using state = await engine.fresh();
    const pending = async (it: Setting) => {
      const { Attributes } = await it.operate("sns", "GetTopicAttributes", { TopicArn: topic("t") });
      return (Attributes as unknown as Record<string, string>)["SubscriptionsPending"];
    };
    {
      await using it = await open(state, state.store);
      await it.operate("sns", "CreateTopic", { Name: "t" });
      const Endpoint = "arn:aws:sqs:us-east-1:999999999999:q";
      await it.operate("sns", "Subscribe", { TopicArn: topic("t"), Protocol: "sqs", Endpoint });
      assert.equal(await pending(it), "1");
    }
    await state.clock.advance(2 * 24 * 3_600_000);
    await using next = await open(state, state.store);
    for (const end = Date.now() + 10_000; (await pending(next)) !== "0"; await sleep(10))
      assert.ok(Date.now() < end);
  });
});
