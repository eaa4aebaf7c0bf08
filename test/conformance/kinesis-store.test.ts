/** Streams on every engine, and as other parts of the server read them: order, wake-ups, restarts, and several servers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestContext } from "../../src/aws/service.ts";
import { randomIds } from "../../src/kit/id.ts";
import { createKinesis } from "../../src/services/kinesis/index.ts";
import type { KinesisRecord, KinesisService, ShardPosition } from "../../src/services/kinesis/index.ts";
import { sql } from "../../src/store/database.ts";
import type { Store } from "../../src/store/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { onEveryEngine } from "../store/engines.ts";
import type { TestStore } from "../store/engines.ts";

const HOUR_MS = 3_600_000;
const CONTEXT = { account: "000000000000", region: "us-east-1" } as RequestContext;
const ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
const FIRST = "shardId-000000000000";
const ALL = { records: 10_000, bytes: 6 * 1_048_576 };
const countChunks = sql("test.kinesisChunks", "SELECT COUNT(*) AS chunks FROM kinesis_chunk");

function open({ clock }: TestStore, store: Store): Promise<KinesisService> {
  const policies = {
    parse: () => ({ statements: [] }),
    principalFault: async () => undefined,
    decide: async () => "none" as const,
    ask: async () => "none" as const,
  };
  const { database, signals } = store;
  return createKinesis({
    clock,
    ids: randomIds,
    database,
    signals,
    log: createLog("error"),
    metrics: new Metrics(clock),
    policies,
    roles: { allows: async () => false },
    shardThroughput: 0,
  });
}

const call = async (kinesis: KinesisService, operation: string, input: object) =>
  kinesis.service.operations.get(operation)?.(input as never, { ...CONTEXT, operation });

const create = (kinesis: KinesisService, ShardCount = 1) =>
  call(kinesis, "CreateStream", { StreamName: "s", ShardCount });
const put = (kinesis: KinesisService, ...datas: string[]) =>
  call(kinesis, "PutRecords", {
    StreamName: "s",
    Records: datas.map((data) => ({ PartitionKey: data.split(" ")[0], Data: Buffer.from(data) })),
  });
const textsOf = (records: readonly KinesisRecord[]) => records.map(({ data }) => data.toString());

/** Everything of a shard from a position on. */
async function readAll(kinesis: KinesisService, shardId: string, from: ShardPosition, records = 7) {
  const texts: string[] = [];
  let position = from;
  for (;;) {
    const read = await kinesis.streams.read(ARN, shardId, position, { ...ALL, records });
    texts.push(...textsOf(read.records));
    position = read.next;
    if (read.records.length < records) return { texts, next: position, ended: read.ended };
  }
}

onEveryEngine("Kinesis", (engine) => {
  void test("many puts at once lose nothing; readers go on from a position, also after a restart", async () => {
    await using fixture = await engine.fresh();
    const kinesis = await open(fixture, fixture.store);
    await create(kinesis);
    const keys = Array.from({ length: 10 }, (_, key) => `k${key}`);
    await Promise.all(
      keys.map(async (key) => {
        for (let at = 0; at < 5; at++) await put(kinesis, `${key} ${at}a`, `${key} ${at}b`);
      }),
    );
    const first = await readAll(kinesis, FIRST, { at: "TRIM_HORIZON" });
    assert.equal(first.texts.length, 100);
    for (const key of keys)
      assert.deepEqual(
        first.texts.filter((text) => text.startsWith(`${key} `)),
        Array.from({ length: 5 }, (_, at) => [`${key} ${at}a`, `${key} ${at}b`]).flat(),
      );
    const latest = await kinesis.streams.read(ARN, FIRST, { at: "LATEST" }, ALL);
    await kinesis.stop();
    const again = await open(fixture, await fixture.reopen());
    assert.deepEqual((await readAll(again, FIRST, { at: "TRIM_HORIZON" })).texts, first.texts);
    await put(again, "later 1");
    assert.deepEqual((await readAll(again, FIRST, first.next)).texts, ["later 1"]);
    assert.deepEqual((await readAll(again, FIRST, latest.next)).texts, ["later 1"]);
    await again.stop();
  });

  void test("shards are told parents first; a closed one ends; who waits is woken by records and by closing", async () => {
    await using fixture = await engine.fresh();
    const kinesis = await open(fixture, fixture.store);
    const { streams } = kinesis;
    const { signal } = new AbortController();
    await create(kinesis);
    const woken = streams.changed(ARN, FIRST, signal);
    const any = streams.changed(ARN, undefined, signal);
    assert.deepEqual((await readAll(kinesis, FIRST, { at: "TRIM_HORIZON" })).texts, []);
    await put(kinesis, "a 1");
    await Promise.all([woken, any]);
    const read = await streams.read(ARN, FIRST, { at: "TRIM_HORIZON" }, ALL);
    const [record] = read.records;
    assert.deepEqual(
      [record?.partitionKey, record?.encryptionType, read.millisBehindLatest],
      ["a", "NONE", 0],
    );
    assert.deepEqual(read.next, { after: record?.sequenceNumber });
    assert.equal(read.ended, false);
    const closed = streams.changed(ARN, FIRST, signal);
    await call(kinesis, "SplitShard", {
      StreamName: "s",
      ShardToSplit: FIRST,
      NewStartingHashKey: String(2n ** 127n),
    });
    await closed;
    assert.equal((await streams.read(ARN, FIRST, read.next, ALL)).ended, true);
    assert.deepEqual(
      (await streams.shards(ARN)).map(({ shardId, parents, closed }) => [shardId.slice(-1), parents, closed]),
      [
        ["0", [], true],
        ["1", [FIRST], false],
        ["2", [FIRST], false],
      ],
    );
    const stop = new AbortController();
    const waiting = streams.changed(ARN, "shardId-000000000001", stop.signal);
    stop.abort();
    await waiting;
    await kinesis.stop();
  });

  void test("describe knows streams and consumers; both are read alike, and both can go", async () => {
    await using fixture = await engine.fresh();
    const kinesis = await open(fixture, fixture.store);
    const { streams } = kinesis;
    assert.equal(await streams.describe(ARN), undefined);
    await create(kinesis);
    const { Consumer } = (await call(kinesis, "RegisterStreamConsumer", {
      StreamARN: ARN,
      ConsumerName: "c",
    })) as { Consumer: { ConsumerARN: string } };
    await put(kinesis, "a 1");
    const description = { enabled: true, retentionMs: 24 * HOUR_MS };
    assert.deepEqual(await streams.describe(ARN), description);
    assert.deepEqual(await streams.describe(Consumer.ConsumerARN), { ...description, consumer: "c" });
    const read = await streams.read(Consumer.ConsumerARN, FIRST, { at: "TRIM_HORIZON" }, ALL);
    assert.deepEqual(textsOf(read.records), ["a 1"]);
    const gone = streams.changed(ARN, FIRST, new AbortController().signal);
    await call(kinesis, "DeleteStream", { StreamName: "s", EnforceConsumerDeletion: true });
    await gone;
    assert.equal(await streams.describe(Consumer.ConsumerARN), undefined);
    assert.deepEqual(await streams.shards(ARN), []);
    assert.equal((await streams.read(ARN, FIRST, read.next, ALL)).ended, true);
    await kinesis.stop();
  });

  void test("expired records are removed, and those of a deleted stream, a little at a time", async () => {
    await using fixture = await engine.fresh();
    const kinesis = await open(fixture, fixture.store);
    await create(kinesis);
    const count = async () =>
      (await fixture.store.database.get<{ chunks: number }>(countChunks))?.chunks ?? 0;
    for (let at = 0; at < 205; at++) await put(kinesis, `a ${at}`);
    await fixture.clock.advance(12 * HOUR_MS);
    await put(kinesis, "b 1");
    assert.equal(await count(), 206);
    await fixture.clock.advance(13 * HOUR_MS);
    assert.deepEqual((await readAll(kinesis, FIRST, { at: "TRIM_HORIZON" })).texts, ["b 1"]);
    await kinesis.sweep();
    assert.equal(await count(), 1);
    for (let at = 0; at < 205; at++) await put(kinesis, `c ${at}`);
    await call(kinesis, "DeleteStream", { StreamName: "s" });
    await kinesis.sweep();
    assert.equal(await count(), 0);
    await create(kinesis);
    assert.deepEqual((await readAll(kinesis, FIRST, { at: "TRIM_HORIZON" })).texts, []);
    await kinesis.stop();
  });

  if (engine.name === "postgres")
    void test("two servers write to one shard, and each sees and is woken by what the other does", async () => {
      await using fixture = await engine.fresh();
      const one = await open(fixture, fixture.store);
      const two = await open(fixture, await fixture.another());
      await create(one);
      const seen = two.streams.changed(ARN, FIRST, new AbortController().signal);
      const writing = [one, two].map(async (server, no) => {
        for (let at = 0; at < 10; at++) await put(server, `${no} ${at}`);
      });
      await Promise.all(writing);
      await seen;
      const { texts } = await readAll(two, FIRST, { at: "TRIM_HORIZON" });
      assert.equal(texts.length, 20);
      for (const no of [0, 1])
        assert.deepEqual(
          texts.filter((text) => text.startsWith(`${no} `)),
          Array.from({ length: 10 }, (_, at) => `${no} ${at}`),
        );
      // The one has the stream in memory as it was; what it puts goes to the children all the same.
      await call(two, "SplitShard", { StreamName: "s", ShardToSplit: FIRST, NewStartingHashKey: "1000" });
      await put(one, "0 after");
      assert.deepEqual((await readAll(two, "shardId-000000000002", { at: "TRIM_HORIZON" })).texts, [
        "0 after",
      ]);
      assert.equal((await readAll(one, FIRST, { at: "LATEST" })).ended, true);
      await one.stop();
      await two.stop();
    });
});
