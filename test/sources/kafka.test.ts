/** Event source mappings of Apache Kafka, against a real broker: what functions get, from where, and how far the group has come. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { CreateEventSourceMappingCommandInput } from "@aws-sdk/client-lambda";
import { kafkaMissing, startKafka } from "../harness/kafka.ts";
import type { TestKafka } from "../harness/kafka.ts";
import { MovableClock } from "../../src/index.ts";
import { startBrokerSetting, until } from "./setting.ts";
import type { BrokerSetting, Writer } from "./setting.ts";

const skip = kafkaMissing() ?? false;
if (skip) console.log(`# skipped: ${skip}`);

suite("event source mappings of Apache Kafka", { skip }, () => {
  const clock = new MovableClock();
  let kafka: TestKafka;
  let setting: BrokerSetting;
  before(async () => {
    setting = await startBrokerSetting({ clock });
    kafka = await startKafka();
  });
  after(() => setting?.stop());

  const from = (topic: string, more: Partial<CreateEventSourceMappingCommandInput> = {}) => ({
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: [kafka.server] } },
    Topics: [topic],
    StartingPosition: "TRIM_HORIZON" as const,
    ...more,
  });
  const ready = async (topic: string, partitions = 1): Promise<Writer> => {
    await kafka.createTopic(topic, partitions);
    return setting.writer(`read-${topic}`);
  };
  const valuesOf = (events: readonly any[]): string[][] =>
    events.map(({ records }) =>
      Object.values<any[]>(records)
        .flat()
        .map(({ value }) => Buffer.from(value, "base64").toString()),
    );
  const received = async (writer: Writer, count: number): Promise<string[][]> => {
    await until(`${count} records came to ${writer.name}`, async () => {
      return valuesOf(await writer.events()).flat().length >= count;
    });
    return valuesOf(await writer.events());
  };
  const hasCommitted = (group: string, topic: string, offset: number, partition = 0) =>
    until(`${offset} is committed`, async () => (await kafka.committed(group, topic, partition)) === offset);

  // Each has a topic and a function of its own, and mostly waits.
  suite("what functions get", { concurrency: 8 }, () => {
    test("CreateEventSourceMapping reads a self-managed cluster; the event has AWS's shape, and the offset is committed", async () => {
      const writer = await ready("shape", 2);
      const uuid = await setting.map(writer.name, from("shape"));
      await kafka.produce("shape", [
        {
          key: "k",
          value: "one",
          partition: 0,
          headers: { headerKey: Buffer.from([118, 220, 0, 127, 128]) },
        },
        { value: "two", partition: 1 },
        { key: "deleted", value: undefined, partition: 0 },
      ]);
      await hasCommitted(uuid, "shape", 2, 0);
      await hasCommitted(uuid, "shape", 1, 1);
      const records: Record<string, any[]> = Object.assign(
        {},
        ...(await writer.events()).map((e) => e.records),
      );
      const [event] = await writer.events();
      assert.deepEqual(Object.keys(event), ["eventSource", "bootstrapServers", "records"]);
      assert.deepEqual([event.eventSource, event.bootstrapServers], ["SelfManagedKafka", kafka.server]);
      const [first, tombstone] = records["shape-0"] ?? [];
      assert.ok(Math.abs(first.timestamp - Date.now()) < 60_000);
      assert.deepEqual(first, {
        topic: "shape",
        partition: 0,
        offset: 0,
        timestamp: first.timestamp,
        timestampType: "CREATE_TIME",
        key: "aw==",
        value: "b25l",
        headers: [{ headerKey: [118, -36, 0, 127, -128] }],
      });
      assert.deepEqual([tombstone.key, "value" in tombstone], ["ZGVsZXRlZA==", false]);
      const [keyless] = records["shape-1"] ?? [];
      assert.deepEqual([keyless.offset, "key" in keyless], [0, false]);
      const mapping = await setting.mapping(uuid);
      assert.deepEqual([mapping.State, mapping.BatchSize], ["Enabled", 100]);
      await until("OK", async () => (await setting.mapping(uuid)).LastProcessingResult === "OK");
    });

    test("CreateEventSourceMapping of an MSK cluster finds its brokers by the file; the group is the one that was named", async () => {
      const arn = "arn:aws:kafka:us-east-1:000000000000:cluster/msk/0f1e2d3c-0000-4000-8000-000000000000-1";
      const writer = await ready("msk");
      const input = {
        EventSourceArn: arn,
        Topics: ["msk"],
        StartingPosition: "TRIM_HORIZON" as const,
        AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: "named-group" },
      };
      await assert.rejects(setting.map(writer.name, input), {
        name: "InvalidParameterValueException",
        message: /has no entry "arn:aws:kafka:.*" with its bootstrap servers/,
      });
      await setting.brokers({ [arn]: { bootstrapServers: [kafka.server] } });
      await kafka.produce("msk", [{ value: "hello" }]);
      await setting.map(writer.name, input);
      await received(writer, 1);
      const [event] = await writer.events();
      const record = event.records["msk-0"][0];
      assert.deepEqual(event, {
        eventSource: "aws:kafka",
        eventSourceArn: arn,
        bootstrapServers: kafka.server,
        records: {
          "msk-0": [
            {
              topic: "msk",
              partition: 0,
              offset: 0,
              timestamp: record.timestamp,
              timestampType: "CREATE_TIME",
              value: "aGVsbG8=",
              headers: [],
            },
          ],
        },
      });
      await hasCommitted("named-group", "msk", 1);
      await assert.rejects(setting.map(writer.name, input), { name: "ResourceConflictException" });
    });

    test("BatchSize cuts batches, in each partition's order; a window gathers", async () => {
      const writer = await ready("batches");
      const sent = Array.from({ length: 25 }, (_, index) => `value-${index}`);
      await kafka.produce(
        "batches",
        sent.map((value) => ({ value })),
      );
      await setting.map(writer.name, from("batches", { BatchSize: 10, MaximumBatchingWindowInSeconds: 1 }));
      const batches = await received(writer, 25);
      assert.deepEqual(
        batches.map(({ length }) => length),
        [10, 10, 5],
      );
      assert.deepEqual(batches.flat(), sent);
    });

    test("a batch is cut at 6 MB, and a record beyond it is passed over", async () => {
      const writer = await ready("large");
      const uuid = await setting.map(writer.name, from("large"));
      for (const [letter, length] of [
        ["a", 2e6],
        ["b", 2e6],
        ["c", 2e6],
        ["x", 5e6],
        ["d", 10],
      ] as const)
        await kafka.produce("large", [{ value: letter.repeat(length) }]);
      await hasCommitted(uuid, "large", 5);
      const events = await writer.events();
      assert.deepEqual(
        valuesOf(events)
          .flat()
          .map((value) => value[0]),
        ["a", "b", "c", "d"],
      );
      for (const event of events) assert.ok(Buffer.byteLength(JSON.stringify(event)) <= 6_291_456);
    });

    test("StartingPosition: LATEST, AT_TIMESTAMP, and a group's own offset before them", async () => {
      const [latest, at] = [await ready("positions"), await setting.writer("read-positions-at")];
      const hour = 3_600_000n;
      const now = BigInt(Date.now());
      await kafka.produce("positions", [
        { value: "old", timestamp: now - 3n * hour },
        { value: "later", timestamp: now - hour },
      ]);
      const group = await setting.map(latest.name, from("positions", { StartingPosition: "LATEST" }));
      await hasCommitted(group, "positions", 2);
      const StartingPositionTimestamp = new Date(Number(now - 2n * hour));
      await setting.map(
        at.name,
        from("positions", { StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp }),
      );
      await kafka.produce("positions", [{ value: "new" }]);
      assert.deepEqual((await received(latest, 1)).flat(), ["new"]);
      assert.deepEqual((await received(at, 2)).flat(), ["later", "new"]);
      const again = await setting.writer("read-positions-again");
      await hasCommitted(group, "positions", 3);
      await setting.unmap(group);
      await kafka.produce("positions", [{ value: "newer" }]);
      const SelfManagedKafkaEventSourceConfig = { ConsumerGroupId: group };
      await setting.map(again.name, from("positions", { SelfManagedKafkaEventSourceConfig }));
      assert.deepEqual((await received(again, 1)).flat(), ["newer"]);
    });

    test("FilterCriteria look into the value, and what they keep away is committed past", async () => {
      const writer = await ready("filtered");
      const Pattern = JSON.stringify({ value: { kind: ["order"] } });
      const uuid = await setting.map(
        writer.name,
        from("filtered", {
          FilterCriteria: { Filters: [{ Pattern }] },
          MetricsConfig: { Metrics: ["EventCount", "KafkaMetrics"] },
        }),
      );
      const order = JSON.stringify({ kind: "order" });
      await kafka.produce("filtered", [
        { value: "no JSON" },
        { value: order },
        { value: '{"kind":"other"}' },
      ]);
      assert.deepEqual((await received(writer, 1)).flat(), [order]);
      await hasCommitted(uuid, "filtered", 3);
      const metrics = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
      const counted = (name: string) =>
        Number(
          new RegExp(`^aws_lambda_${name}\\{.*event_source_mapping_uuid="${uuid}"\\} (.*)$`, "m").exec(
            metrics,
          )?.[1],
        );
      assert.deepEqual(
        ["polled", "filtered_out", "invoked", "committed"].map((name) =>
          counted(`${name}_event_count_total`),
        ),
        [3, 2, 1, 3],
      );
      assert.ok(counted("max_offset_lag") <= 3);
    });

    test("a batch is retried until the function succeeds, and nothing behind it is read meanwhile", async () => {
      const writer = await ready("retried");
      await writer.plan("throw new Error('not yet')");
      const uuid = await setting.map(writer.name, from("retried", { BatchSize: 1 }));
      await kafka.produce("retried", [{ value: "first" }, { value: "second" }]);
      await until("the failure is told", async () => {
        return (await setting.mapping(uuid)).LastProcessingResult === "PROBLEM: Function call failed";
      });
      assert.equal(await kafka.committed(uuid, "retried"), 0);
      await writer.plan("");
      await hasCommitted(uuid, "retried", 2);
      const values = valuesOf(await writer.events()).flat();
      assert.ok(values.length > 2);
      assert.deepEqual([new Set(values.slice(0, -1)), values.at(-1)], [new Set(["first"]), "second"]);
      await until("OK", async () => (await setting.mapping(uuid)).LastProcessingResult === "OK");
    });
  });

  test("partitions are shared with other members of the group; those that are added are read from their beginning, after a minute", async () => {
    const writer = await ready("shared", 2);
    const group = await setting.map(writer.name, from("shared", { StartingPosition: "LATEST" }));
    await hasCommitted(group, "shared", 0);
    const other = await kafka.join(group, "shared");
    await until("the other has a partition", () => other.partitions().length === 1);
    const produce = (letter: string, partitions: number) =>
      kafka.produce(
        "shared",
        Array.from({ length: partitions }, (_, partition) => ({ value: `${letter}${partition}`, partition })),
      );
    // What was not committed by the one when the partitions change hands, the other reads again.
    const haveAll = (...expected: string[]) =>
      until(`${expected.join(", ")} came`, async () => {
        const ours = valuesOf(await writer.events()).flat();
        return expected.every((value) => ours.includes(value) || other.values.includes(value));
      });
    await produce("a", 2);
    await haveAll("a0", "a1");
    await other.leave();
    assert.equal(other.values.length, 1);
    await produce("b", 2);
    await haveAll("b0", "b1");
    await kafka.addPartitions("shared", 4);
    await produce("c", 4);
    await clock.advance(60_000);
    await haveAll("c0", "c1", "c2", "c3");
  });
});
