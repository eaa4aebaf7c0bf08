/** Event source mappings of Amazon MQ for ActiveMQ, against a real ActiveMQ, with messages of a JMS client. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { CreateEventSourceMappingCommandInput } from "@aws-sdk/client-lambda";
import { MovableClock } from "../../src/index.ts";
import { ACTIVEMQ_USER, activemqMissing, startActivemq } from "../harness/activemq.ts";
import { certificateMissing } from "../harness/certificate.ts";
import type { TestActivemq } from "../harness/activemq.ts";
import { startBrokerSetting, until } from "./setting.ts";
import type { BrokerSetting } from "./setting.ts";

const skip = activemqMissing() ?? false;
if (skip) console.log(`# skipped: ${skip}`);
const BROKER = "arn:aws:mq:us-east-1:000000000000:broker:active:b-0f1e2d3c-0000-4000-8000-000000000000";
const secret = (name: string) => `arn:aws:secretsmanager:us-east-1:000000000000:secret:${name}-a1b2c3`;

suite("event source mappings of ActiveMQ", { skip }, () => {
  const clock = new MovableClock();
  let active: TestActivemq;
  let setting: BrokerSetting;
  before(async () => {
    setting = await startBrokerSetting({ clock });
    active = await startActivemq();
    await setting.brokers({ [BROKER]: { engine: "ActiveMQ", endpoint: active.endpoint } });
    await setting.secrets({
      [secret("good")]: ACTIVEMQ_USER,
      [secret("bad")]: { username: "alice", password: "no" },
    });
  });
  after(async () => {
    await setting?.stop();
    await active?.close();
  });

  type Input = Partial<CreateEventSourceMappingCommandInput>;
  const access = (name = "good") =>
    ({ SourceAccessConfigurations: [{ Type: "BASIC_AUTH", URI: secret(name) }] }) as Input;
  const from = (queue: string, more: Input = {}): Input => ({
    EventSourceArn: BROKER,
    Queues: [queue],
    ...access(),
    ...more,
  });
  const dataOf = (events: readonly any[]): string[][] =>
    events.map(({ messages }) => messages.map(({ data }: any) => Buffer.from(data, "base64").toString()));
  const tells = (uuid: string, result: RegExp) =>
    until(`LastProcessingResult is ${result}`, async () =>
      result.test((await setting.mapping(uuid)).LastProcessingResult ?? ""),
    );

  // Each has something of its own to read, and a function, and mostly waits.
  suite("while the broker is there", { concurrency: 8 }, () => {
    test("CreateEventSourceMapping consumes a queue; texts and bytes have AWS's shape, and are acknowledged; maps go to the dead letters", async () => {
      const writer = await setting.writer("shaped");
      const began = Date.now();
      const id = await active.send("text", "shape", "Enter some text", true);
      await active.send("bytes", "shape", "bytes");
      await active.send("map", "shape", "-");
      const uuid = await setting.map(writer.name, from("shape"));
      await until("both came", async () => dataOf(await writer.events()).flat().length === 2);
      const events = await writer.events();
      assert.deepEqual(Object.keys(events[0]), ["eventSource", "eventSourceArn", "messages"]);
      assert.deepEqual([events[0].eventSource, events[0].eventSourceArn], ["aws:mq", BROKER]);
      // What is kept and what is not overtake each other in a queue.
      const all = events.flatMap(({ messages }) => messages);
      const [text, bytes] = all.toSorted((left, right) => (left.priority < right.priority ? 1 : -1));
      for (const time of [text.timestamp, text.brokerInTime, text.brokerOutTime])
        assert.ok(time >= began && time <= Date.now());
      assert.deepEqual(text, {
        messageID: id,
        messageType: "jms/text-message",
        timestamp: text.timestamp,
        deliveryMode: 1,
        correlationID: "correlated",
        replyTo: "null",
        destination: { physicalName: "shape" },
        redelivered: false,
        type: "kind",
        expiration: 0,
        priority: 6,
        data: "RW50ZXIgc29tZSB0ZXh0",
        brokerInTime: text.brokerInTime,
        brokerOutTime: text.brokerOutTime,
        properties: { testKey: "testValue", number: 7, flag: true },
      });
      assert.deepEqual(
        [bytes.messageType, bytes.deliveryMode, bytes.data, bytes.correlationID, bytes.type, bytes.priority],
        ["jms/bytes-message", 2, "Ynl0ZXM=", "", "", 4],
      );
      await until("the map is dead", async () => (await active.count("ActiveMQ.DLQ")) === 1);
      await until("they are acknowledged", async () => (await active.count("shape")) === 0);
      await tells(uuid, /^OK$/);
    });

    test("BatchSize, and FilterCriteria on the data", async () => {
      const writer = await setting.writer("batched");
      const Pattern = JSON.stringify({ data: { kind: ["order"] } });
      for (let index = 0; index < 12; index++) {
        await active.send("text", "batches", JSON.stringify({ kind: "order", index }));
        await active.send("text", "batches", JSON.stringify({ kind: "other", index }));
      }
      await setting.map(
        writer.name,
        from("batches", { BatchSize: 5, FilterCriteria: { Filters: [{ Pattern }] } }),
      );
      await until("all came", async () => dataOf(await writer.events()).flat().length === 12);
      const batches = dataOf(await writer.events());
      assert.ok(batches.every(({ length }) => length <= 5));
      const indexes = batches.flat().map((text) => (JSON.parse(text) as { index: number }).index);
      assert.deepEqual(
        indexes.toSorted((left, right) => left - right),
        Array.from({ length: 12 }, (_, index) => index),
      );
      await until("all are acknowledged", async () => (await active.count("batches")) === 0);
    });

    test("over TLS a broker is trusted by the authority that the file of brokers names, or by those known everywhere", async (context) => {
      if (!active.tls) return context.skip(certificateMissing());
      const writer = await setting.writer("secured");
      const { endpoint, ca } = active.tls;
      const engine = "ActiveMQ";
      const here = { [BROKER]: { engine, endpoint: active.endpoint } };
      const [trusted, unknown] = [BROKER.replace("active", "trusted"), BROKER.replace("active", "unknown")];
      await setting.brokers({
        ...here,
        [trusted]: { engine, endpoint, ca },
        [unknown]: { engine, endpoint },
      });
      await setting.map(writer.name, from("secured", { EventSourceArn: trusted }));
      const refused = await setting.map(writer.name, from("secured", { EventSourceArn: unknown }));
      await active.send("text", "secured", "by TLS");
      await until("it came", async () => (await writer.events()).length > 0);
      assert.deepEqual(dataOf(await writer.events()), [["by TLS"]]);
      await tells(
        refused,
        /^PROBLEM: Connection error\. The broker's certificate is not trusted: DEPTH_ZERO_SELF_SIGNED_CERT\. /,
      );
    });

    test("a batch that fails comes again as redelivered", async () => {
      const writer = await setting.writer("failing");
      await writer.plan("throw new Error('not yet')");
      await active.send("text", "failing", "again");
      const uuid = await setting.map(writer.name, from("failing"));
      await tells(uuid, /^PROBLEM: Function call failed$/);
      await writer.plan("");
      await tells(uuid, /^OK$/);
      const redelivered = (await writer.events()).map(({ messages }) => messages[0].redelivered);
      assert.ok(redelivered.length >= 2);
      assert.deepEqual(
        redelivered,
        redelivered.map((_, index) => index > 0),
      );
      await until("it is acknowledged", async () => (await active.count("failing")) === 0);
    });
  });

  test("a message that fails seven times, a second apart, goes to the dead letters", async () => {
    const writer = await setting.writer("hopeless");
    const before = await active.count("ActiveMQ.DLQ");
    await writer.plan("throw new Error('never')");
    await active.send("text", "hopeless", "poison");
    await setting.map(writer.name, from("hopeless"));
    await until("it is dead", async () => {
      await clock.advance(500);
      return (await active.count("ActiveMQ.DLQ")) === before + 1;
    });
    assert.equal((await writer.events()).length, 7);
    assert.equal(await active.count("hopeless"), 0);
  });

  test("CreateEventSourceMapping refuses a virtual host; a wrong password and a broker that is down are told", async () => {
    const writer = await setting.writer("signing");
    const SourceAccessConfigurations = [
      { Type: "BASIC_AUTH" as const, URI: secret("good") },
      { Type: "VIRTUAL_HOST" as const, URI: "/" },
    ];
    await assert.rejects(setting.map(writer.name, from("signed", { SourceAccessConfigurations })), {
      name: "InvalidParameterValueException",
      message: /VIRTUAL_HOST are for RabbitMQ only/,
    });
    const bad = await setting.map(writer.name, from("signed", access("bad")));
    await tells(bad, /^PROBLEM: Broker failed to authenticate Lambda\.$/);
    const good = await setting.map(writer.name, from("other"));
    await active.send("text", "other", "hello");
    await tells(good, /^OK$/);
    await active.down();
    await tells(good, /^PROBLEM: Connection error\. /);
  });
});
