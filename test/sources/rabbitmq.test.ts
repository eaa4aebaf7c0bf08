/** Event source mappings of Amazon MQ for RabbitMQ, against a real RabbitMQ. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { UpdateEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import type { CreateEventSourceMappingCommandInput } from "@aws-sdk/client-lambda";
import { certificateMissing } from "../harness/certificate.ts";
import { freePort } from "../harness/free-port.ts";
import { RABBITMQ_USER, rabbitmqMissing, startRabbitmq } from "../harness/rabbitmq.ts";
import type { TestRabbitmq } from "../harness/rabbitmq.ts";
import { allow, startBrokerSetting, until } from "./setting.ts";
import type { BrokerSetting } from "./setting.ts";

const skip = rabbitmqMissing() ?? false;
if (skip) console.log(`# skipped: ${skip}`);
const BROKER = "arn:aws:mq:us-east-1:000000000000:broker:rabbit:b-0f1e2d3c-0000-4000-8000-000000000000";
const secret = (name: string) => `arn:aws:secretsmanager:us-east-1:000000000000:secret:${name}-a1b2c3`;
const QUEUES = ["secured", "shape", "batches", "filtered", "failing", "large", "dead", "signed", "moved"];

suite("event source mappings of RabbitMQ", { skip }, () => {
  let rabbit: TestRabbitmq;
  let setting: BrokerSetting;
  before(async () => {
    const dead = { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead" };
    const plain = Object.fromEntries(QUEUES.map((name) => [name, {}]));
    setting = await startBrokerSetting();
    rabbit = await startRabbitmq({ "/": { ...plain, large: dead }, "tenant-1": { jobs: {} } });
    await setting.brokers({ [BROKER]: { engine: "RabbitMQ", endpoint: rabbit.endpoint } });
    await setting.secrets({
      [secret("good")]: RABBITMQ_USER,
      [secret("bad")]: { username: "alice", password: "no" },
    });
  });
  after(async () => {
    await setting?.stop();
    await rabbit?.close();
  });

  type Input = Partial<CreateEventSourceMappingCommandInput>;
  const access = (name = "good", ...more: { Type: string; URI: string }[]) =>
    ({ SourceAccessConfigurations: [{ Type: "BASIC_AUTH", URI: secret(name) }, ...more] }) as Input;
  const from = (queue: string, more: Input = {}): Input => ({
    EventSourceArn: BROKER,
    Queues: [queue],
    ...access(),
    ...more,
  });
  const dataOf = (events: readonly any[]): string[][] =>
    events.map(({ rmqMessagesByQueue }) =>
      Object.values<any[]>(rmqMessagesByQueue)
        .flat()
        .map(({ data }) => Buffer.from(data, "base64").toString()),
    );
  const tells = (uuid: string, result: RegExp) =>
    until(`LastProcessingResult is ${result}`, async () =>
      result.test((await setting.mapping(uuid)).LastProcessingResult ?? ""),
    );

  // Each has something of its own to read, and a function, and mostly waits.
  suite("while the broker is there", { concurrency: 8 }, () => {
    test("CreateEventSourceMapping consumes a queue; the event has AWS's shape, and the message is gone once it was handled", async () => {
      const writer = await setting.writer("shaped");
      await rabbit.send("shape", "text", {
        contentType: "text/plain",
        headers: { header1: "value1", numberInHeader: 10, flag: true, list: ["a", 1], nested: { deep: "b" } },
        deliveryMode: 1,
        priority: 34,
        expiration: "60000",
        timestamp: 2021,
        messageId: "id-1",
      });
      const uuid = await setting.map(writer.name, from("shape"));
      const [event] = await until("it came", async () => {
        const events = await writer.events();
        return events.length > 0 ? events : undefined;
      });
      assert.deepEqual(event, {
        eventSource: "aws:rmq",
        eventSourceArn: BROKER,
        rmqMessagesByQueue: {
          "shape::/": [
            {
              basicProperties: {
                contentType: "text/plain",
                contentEncoding: null,
                headers: {
                  header1: { bytes: [118, 97, 108, 117, 101, 49] },
                  numberInHeader: 10,
                  flag: true,
                  list: [{ bytes: [97] }, 1],
                  nested: { deep: { bytes: [98] } },
                },
                deliveryMode: 1,
                priority: 34,
                correlationId: null,
                replyTo: null,
                expiration: "60000",
                messageId: "id-1",
                timestamp: "Jan 1, 1970, 12:33:41 AM",
                type: null,
                userId: null,
                appId: null,
                clusterId: null,
                bodySize: 4,
              },
              redelivered: false,
              data: "dGV4dA==",
            },
          ],
        },
      });
      await tells(uuid, /^OK$/);
      const { BatchSize, Queues, State } = await setting.mapping(uuid);
      assert.deepEqual([BatchSize, Queues, State], [100, ["shape"], "Enabled"]);
      await setting.unmap(uuid);
      await until("it is deleted", () =>
        setting.mapping(uuid).then(
          () => false,
          () => true,
        ),
      );
      assert.equal(await rabbit.waiting("shape"), 0);
    });

    test("BatchSize, the window and another virtual host", async () => {
      const [writer, tenant] = [await setting.writer("batched"), await setting.writer("tenant")];
      const sent = Array.from({ length: 25 }, (_, index) => `message-${index}`);
      for (const one of sent) await rabbit.send("batches", one);
      await setting.map(writer.name, from("batches", { BatchSize: 10 }));
      await rabbit.send("jobs", "job", {}, "tenant-1");
      await setting.map(tenant.name, from("jobs", access("good", { Type: "VIRTUAL_HOST", URI: "tenant-1" })));
      await until("all came", async () => dataOf(await writer.events()).flat().length >= 25);
      const batches = dataOf(await writer.events());
      assert.deepEqual(
        batches.map(({ length }) => length),
        [10, 10, 5],
      );
      assert.deepEqual(batches.flat(), sent);
      const [event] = await until("the job came", async () => {
        const events = await tenant.events();
        return events.length > 0 ? events : undefined;
      });
      assert.deepEqual(Object.keys(event.rmqMessagesByQueue), ["jobs::tenant-1"]);
    });

    test("FilterCriteria look into the data, and what they keep away is acknowledged", async () => {
      const writer = await setting.writer("filtering");
      const Pattern = JSON.stringify({ data: { kind: [{ prefix: "ord" }] } });
      for (const one of ["no JSON", '{"kind":"order"}', '{"kind":"other"}'])
        await rabbit.send("filtered", one);
      const uuid = await setting.map(
        writer.name,
        from("filtered", { FilterCriteria: { Filters: [{ Pattern }] } }),
      );
      await until("it came", async () => (await writer.events()).length > 0);
      await setting.unmap(uuid);
      await until("it is deleted", () =>
        setting.mapping(uuid).then(
          () => false,
          () => true,
        ),
      );
      assert.equal(await rabbit.waiting("filtered"), 0);
      assert.deepEqual(dataOf(await writer.events()), [['{"kind":"order"}']]);
    });

    test("a batch that fails comes again as redelivered, until it is handled; what is too large goes to the dead letters", async () => {
      const writer = await setting.writer("failing");
      await writer.plan("throw new Error('not yet')");
      await rabbit.send("failing", "again");
      const uuid = await setting.map(writer.name, from("failing"));
      await tells(uuid, /^PROBLEM: Function call failed$/);
      await writer.plan("");
      await tells(uuid, /^OK$/);
      const messages = (await writer.events()).map(
        ({ rmqMessagesByQueue }) => rmqMessagesByQueue["failing::/"][0],
      );
      assert.ok(messages.length >= 2);
      assert.deepEqual(
        messages.map(({ redelivered }) => redelivered),
        [false, ...messages.slice(1).map(() => true)],
      );
      const large = await setting.writer("large");
      await setting.map(large.name, from("large"));
      await rabbit.send("large", "x".repeat(5e6));
      await rabbit.send("large", "small");
      await until("the small one came", async () => (await large.events()).length > 0);
      assert.deepEqual(dataOf(await large.events()), [["small"]]);
      await until("the large one is dead", async () => (await rabbit.waiting("dead")) === 1);
    });

    test("over TLS a broker is trusted by the authority that the file of brokers names, or by those known everywhere", async (context) => {
      if (!rabbit.tls) return context.skip(certificateMissing());
      const writer = await setting.writer("secured");
      const { endpoint, ca } = rabbit.tls;
      const engine = "RabbitMQ";
      const here = { [BROKER]: { engine, endpoint: rabbit.endpoint } };
      const [trusted, unknown] = [BROKER.replace("rabbit", "trusted"), BROKER.replace("rabbit", "unknown")];
      await setting.brokers({
        ...here,
        [trusted]: { engine, endpoint, ca },
        [unknown]: { engine, endpoint },
      });
      await setting.map(writer.name, from("secured", { EventSourceArn: trusted }));
      const refused = await setting.map(writer.name, from("secured", { EventSourceArn: unknown }));
      await rabbit.send("secured", "by TLS");
      await until("it came", async () => (await writer.events()).length > 0);
      assert.deepEqual(dataOf(await writer.events()), [["by TLS"]]);
      await tells(
        refused,
        /^PROBLEM: Connection error\. The broker's certificate is not trusted: DEPTH_ZERO_SELF_SIGNED_CERT\. /,
      );
    });

    test("CreateEventSourceMapping says what is missing: the broker, the secret, BASIC_AUTH", async () => {
      const writer = await setting.writer("refused");
      const other = BROKER.replace("rabbit", "other");
      for (const [input, name, message] of [
        [
          { EventSourceArn: other },
          "InvalidParameterValueException",
          /has no entry "arn:aws:mq:.*" with its engine/,
        ],
        [
          { EventSourceArn: BROKER.replace("000000000000", "111111111111") },
          "NotImplemented",
          /Amazon MQ in another account: .*:111111111111:/,
        ],
        [access("unknown"), "InvalidParameterValueException", /has no secret "arn:aws:secretsmanager/],
        [{ SourceAccessConfigurations: [] }, "InvalidParameterValueException", /BASIC_AUTH are required/],
        [
          { SourceAccessConfigurations: [{ Type: "VPC_SECURITY_GROUP", URI: "security_group:sg-1" }] },
          "NotImplemented",
          /no VPCs/,
        ],
        [
          { StartingPosition: "LATEST" },
          "InvalidParameterValueException",
          /StartingPosition is not supported/,
        ],
      ] as [Input, string, RegExp][])
        await assert.rejects(setting.map(writer.name, from("shape", input)), { name, message });
    });
  });

  test("a wrong password, a queue that is not there and a broker that is down are told, and end when they are over", async () => {
    const writer = await setting.writer("signing");
    await rabbit.send("signed", "first");
    const uuid = await setting.map(writer.name, from("signed", access("bad")));
    await tells(uuid, /^PROBLEM: Broker failed to authenticate Lambda\.$/);
    await setting.lambda.send(new UpdateEventSourceMappingCommand({ UUID: uuid, ...access() }));
    await until("it came", async () => (await writer.events()).length > 0);
    const missing = await setting.map(writer.name, from("not-there"));
    await tells(missing, /^PROBLEM: Queue not found\. .*not-there/);
    const moving = BROKER.replace("rabbit", "moving");
    const nowhere = { engine: "RabbitMQ", endpoint: `amqp://127.0.0.1:${await freePort()}` };
    const here = { engine: "RabbitMQ", endpoint: rabbit.endpoint };
    await setting.brokers({ [BROKER]: here, [moving]: nowhere });
    await rabbit.send("moved", "second");
    const moved = await setting.map(writer.name, from("moved", { EventSourceArn: moving }));
    await tells(moved, /^PROBLEM: Connection error\. .*ECONNREFUSED/);
    await setting.brokers({ [BROKER]: here, [moving]: here });
    await tells(moved, /^OK$/);
    await allow(setting.server.client(), "poller", ["mq:*"]);
    await assert.rejects(
      setting.lambda.send(new UpdateEventSourceMappingCommand({ UUID: missing, BatchSize: 5 })),
      { message: /role does not have permissions to call secretsmanager:GetSecretValue on arn/ },
    );
    await until("the second came", async () => (await writer.events()).length > 1);
    assert.deepEqual(dataOf(await writer.events()), [["first"], ["second"]]);
    await rabbit.down();
    // What the role may is asked again whenever the mapping connects.
    await tells(
      uuid,
      /^PROBLEM: The provided execution role does not have permissions to call secretsmanager:Get/,
    );
  });
});
