/** The log store on every engine: functions' lines, order over chunks, expiry, and what is there after a restart. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { RequestContext } from "../../src/aws/service.ts";
import { randomIds } from "../../src/kit/id.ts";
import { createCloudwatchLogs } from "../../src/services/cloudwatch-logs/index.ts";
import type { CloudwatchLogs } from "../../src/services/cloudwatch-logs/index.ts";
import { sql } from "../../src/store/database.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { onEveryEngine } from "../store/engines.ts";
import type { TestStore } from "../store/engines.ts";

const DAY_MS = 86_400_000;
const GROUP = "/aws/lambda/f";
const CONTEXT = {
  account: "000000000000",
  region: "us-east-1",
  signal: new AbortController().signal,
  principal: { arn: "arn:aws:iam::000000000000:root" },
} as RequestContext;

interface Event {
  readonly message: string;
  readonly timestamp: number;
}

function open({ store, clock }: TestStore): Promise<CloudwatchLogs> {
  const { database, queue } = store;
  // Nothing is sent anywhere here.
  const nobody = () => Promise.reject(new Error("there is no destination"));
  return createCloudwatchLogs({
    clock,
    ids: randomIds,
    database,
    queue,
    log: createLog("error"),
    metrics: new Metrics(clock),
    courier: { fault: nobody, hand: nobody },
    roles: { canBeAssumedBy: nobody },
    policies: { parse: () => assert.fail("no policy is put"), ask: nobody },
  });
}

async function call(logs: CloudwatchLogs, operation: string, input: object): Promise<Record<string, never>> {
  return (await logs.service.operations.get(operation)?.(input as never, CONTEXT)) as Record<string, never>;
}

async function everything(logs: CloudwatchLogs, more: object = {}): Promise<Event[]> {
  const events: Event[] = [];
  let nextToken: string | undefined;
  do {
    const page = await call(logs, "FilterLogEvents", { logGroupName: GROUP, nextToken, ...more });
    events.push(...(page["events"] as unknown as Event[]));
    nextToken = page["nextToken"];
  } while (nextToken !== undefined);
  return events;
}

const append = (logs: CloudwatchLogs, stream: string, ...lines: Event[]) =>
  logs.writer.append(CONTEXT.account, CONTEXT.region, GROUP, stream, lines);

onEveryEngine("CloudWatch Logs", (engine) => {
  void test("a function's lines are kept in order, group and stream are made, and a restart changes nothing", async () => {
    await using fixture = await engine.fresh();
    const logs = await open(fixture);
    const at = fixture.clock.now();
    await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        append(
          logs,
          `s${n % 7}`,
          { timestamp: at + n, message: `${n} a` },
          { timestamp: at + n, message: `${n} b` },
        ),
      ),
    );
    const expected = Array.from({ length: 300 }, (_, n) => [`${n} a`, `${n} b`]).flat();
    assert.deepEqual(
      (await everything(logs)).map((event) => event.message),
      expected,
    );
    await logs.stop();
    await fixture.reopen();
    const again = await open(fixture);
    assert.deepEqual(
      (await everything(again, { limit: 101 })).map((event) => event.message),
      expected,
    );
    await again.stop();
  });

  void test("events of many overlapping chunks come in order, forwards and backwards, from any page", async () => {
    await using fixture = await engine.fresh();
    const logs = await open(fixture);
    const at = fixture.clock.now();
    const times: number[] = [];
    let seed = 7;
    const next = () => (seed = (seed * 16_807) % 2_147_483_647);
    for (let chunk = 0; chunk < 80; chunk++) {
      const start = at + (next() % 40_000);
      const lines = Array.from({ length: 5 }, (_, n) => ({
        timestamp: start + n * (next() % 4_000),
        message: "x",
      }));
      times.push(...lines.map((line) => line.timestamp));
      await append(logs, `s${chunk % 3}`, ...lines);
    }
    times.sort((a, b) => a - b);
    const seen = (events: readonly Event[]) => events.map((event) => event.timestamp);
    assert.deepEqual(seen(await everything(logs)), times);
    assert.deepEqual(seen(await everything(logs, { limit: 37 })), times);
    const backwards = { startFromHead: false, startTime: at };
    assert.deepEqual(seen(await everything(logs, { ...backwards, limit: 41 })), times.toReversed());
    const [from, to] = [at + 20_000, at + 21_000];
    assert.deepEqual(
      seen(await everything(logs, { startTime: from, endTime: to })),
      times.filter((time) => time >= from && time <= to),
    );
    await logs.stop();
  });

  void test("expired events are deleted, and the bytes they took are given back", async () => {
    await using fixture = await engine.fresh();
    const logs = await open(fixture);
    const storedBytes = async () => {
      const { logGroups } = await call(logs, "DescribeLogGroups", {});
      return (logGroups as unknown as { storedBytes: number }[])[0]?.storedBytes;
    };
    await append(logs, "s", { timestamp: fixture.clock.now(), message: "old" });
    await call(logs, "PutRetentionPolicy", { logGroupName: GROUP, retentionInDays: 1 });
    assert.equal(await storedBytes(), 26 + 3);
    // The sweeper goes by the same clock, and may have been there already.
    await fixture.clock.advance(2 * DAY_MS);
    await append(logs, "s", { timestamp: fixture.clock.now(), message: "newer" });
    assert.deepEqual(
      (await everything(logs)).map((event) => event.message),
      ["newer"],
    );
    await logs.sweep();
    assert.equal(await storedBytes(), 26 + 5);
    await call(logs, "DeleteRetentionPolicy", { logGroupName: GROUP });
    assert.deepEqual(
      (await everything(logs)).map((event) => event.message),
      ["newer"],
    );
    await logs.stop();
  });

  void test("a stream that is deleted while a function writes is made again", async () => {
    await using fixture = await engine.fresh();
    const logs = await open(fixture);
    const timestamp = fixture.clock.now();
    await append(logs, "s", { timestamp, message: "before" });
    await append(logs, "s", { timestamp, message: "before" });
    await call(logs, "DeleteLogGroup", { logGroupName: GROUP });
    await append(logs, "s", { timestamp, message: "after" });
    assert.deepEqual(
      (await everything(logs)).map((event) => event.message),
      ["after"],
    );
    await logs.stop();
  });

  void test("what deleted groups and streams leave is removed, and nothing else", async () => {
    await using fixture = await engine.fresh();
    const logs = await open(fixture);
    const timestamp = fixture.clock.now();
    for (let n = 0; n < 1_200; n += 100)
      await Promise.all(
        Array.from({ length: 100 }, (_, k) => append(logs, `s${n + k}`, { timestamp, message: "gone" })),
      );
    await call(logs, "DeleteLogGroup", { logGroupName: GROUP });
    await append(logs, "s1", { timestamp, message: "stays" });
    await append(logs, "s2", { timestamp, message: "goes" });
    await call(logs, "DeleteLogStream", { logGroupName: GROUP, logStreamName: "s2" });
    await logs.sweep();
    const chunks = await fixture.store.database.all<{ events: string }>(
      sql("test.chunks", "SELECT events FROM logs_chunk"),
    );
    assert.deepEqual(
      chunks.map((chunk) => chunk.events),
      [`[[${timestamp},"stays"]]`],
    );
    const left = sql(
      "test.left",
      "SELECT (SELECT count(*) FROM logs_stream) + (SELECT count(*) FROM logs_garbage) AS n",
    );
    assert.equal((await fixture.store.database.get<{ n: number }>(left))?.n, 1);
    await logs.stop();
  });

  void test("a query that was started runs, by the next server too, and its results are kept for a week", async () => {
    await using fixture = await engine.fresh();
    const logs = await open(fixture);
    const at = fixture.clock.now();
    await append(logs, "s", { timestamp: at, message: '{"n":1}' }, { timestamp: at, message: '{"n":2}' });
    const query = { logGroupName: GROUP, startTime: at / 1_000 - 60, endTime: at / 1_000 + 1 };
    const queryString = "fields n | sort n desc | limit 1";
    // Nothing runs queries here yet.
    const { queryId } = await call(logs, "StartQuery", { ...query, queryString });
    await logs.stop();
    await fixture.reopen();
    const next = await open(fixture);
    const results = () => call(next, "GetQueryResults", { queryId });
    assert.equal((await results())["status"], "Scheduled");
    next.start();
    while ((await results())["status"] !== "Complete") await setTimeout(20);
    const { results: rows, statistics } = await results();
    assert.deepEqual((rows as unknown as { value: string }[][])[0]?.[0]?.value, "2");
    assert.equal((statistics as unknown as { recordsScanned: number }).recordsScanned, 2);
    // Nobody sweeps every minute of these days.
    await next.stop();
    await fixture.clock.advance(8 * DAY_MS);
    const later = await open(fixture);
    await later.sweep();
    const gone = call(later, "GetQueryResults", { queryId });
    await assert.rejects(gone, { name: "ResourceNotFoundException" });
    await later.stop();
  });

  void test("filters are kept, and those of a deleted group go with it", async () => {
    await using fixture = await engine.fresh();
    const logs = await open(fixture);
    const metricTransformations = [{ metricName: "m", metricNamespace: "n", metricValue: "1" }];
    const filter = { logGroupName: GROUP, filterName: "f", filterPattern: "x", metricTransformations };
    const count = async () =>
      ((await call(logs, "DescribeMetricFilters", {}))["metricFilters"] as unknown as object[]).length;
    await append(logs, "s", { timestamp: fixture.clock.now(), message: "x" });
    await call(logs, "PutMetricFilter", filter);
    await append(logs, "s", { timestamp: fixture.clock.now(), message: "x" });
    await call(logs, "PutMetricFilter", { ...filter, filterPattern: "y" });
    assert.equal(await count(), 1);
    await call(logs, "DeleteLogGroup", { logGroupName: GROUP });
    await append(logs, "s", { timestamp: fixture.clock.now(), message: "y" });
    assert.equal(await count(), 0);
    await logs.stop();
  });

  void test("a line longer than an event may be is cut between characters", async () => {
    await using fixture = await engine.fresh();
    const logs = await open(fixture);
    const message = "ü€😀".repeat(200_000);
    await append(logs, "s", { timestamp: fixture.clock.now(), message }, { timestamp: 0, message: "" });
    const pieces = (await everything(logs)).map((event) => event.message);
    assert.equal(pieces.length, 2);
    assert.equal(pieces.join(""), message);
    await logs.stop();
  });
});
