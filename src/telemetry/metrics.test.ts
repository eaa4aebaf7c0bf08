import assert from "node:assert/strict";
import { test } from "node:test";
import { Metrics } from "./metrics.ts";
import type { SeriesId } from "./metrics.ts";
import { prometheusText } from "./prometheus.ts";

const clock = { minute: 1_000, now: () => clock.minute * 60_000 + 59_999 };

function id(name: string, more: Partial<SeriesId> = {}): SeriesId {
  const common = { namespace: "AWS/Lambda", unit: "Count", kind: "sum", region: "eu-west-1" } as const;
  return { ...common, account: "000000000000", dimensions: { FunctionName: "f" }, name, ...more };
}

test("values are kept by the minute with sum, count, least and most", () => {
  const metrics = new Metrics(clock);
  const series = metrics.series(id("Duration"));
  for (const value of [5, 1, 9]) series.add(value, 1_000);
  series.add(2, 1_001);
  assert.deepEqual(series.points(), [
    { minute: 1_000, sum: 15, count: 3, min: 1, max: 9 },
    { minute: 1_001, sum: 2, count: 1, min: 2, max: 2 },
  ]);
  assert.equal(series.sum, 17);
  assert.equal(series.highestSince(1_001), 2);
  assert.equal(series.highestSince(1_002), 0);
});

test("an event of a minute that has passed counts in that minute; one too long ago in the oldest that is kept", () => {
  const series = new Metrics(clock).series(id("Errors"));
  for (let minute = 1_000; minute < 1_020; minute += 2) series.add(1, minute);
  series.add(10, 1_003);
  assert.deepEqual(
    series.points().find((point) => point.minute === 1_003),
    { minute: 1_003, sum: 10, count: 1, min: 10, max: 10 },
  );
  for (let minute = 1_020; minute < 1_060; minute++) series.add(1, minute);
  const { length } = series.points();
  assert.equal(length, 16);
  series.add(100, 1_000);
  assert.equal(series.points().length, 16);
  assert.deepEqual(series.points()[0], { minute: 1_044, sum: 101, count: 2, min: 1, max: 100 });
});

test("one id is one series, whoever asks, also after it was dropped to make place", () => {
  const metrics = new Metrics(clock, 2);
  const held = metrics.series(id("A"));
  assert.equal(metrics.series(id("A")), held);
  held.add(1, 1_000);
  metrics.series(id("B")).add(1, 1_000);
  metrics.series(id("C")).add(1, 1_000);
  assert.deepEqual(
    metrics.all().map((series) => series.id.name),
    ["B", "C"],
  );
  const anew = metrics.series(id("A"));
  anew.add(1, 1_001);
  held.add(5, 1_001);
  assert.deepEqual(metrics.series(id("A")).points(), [{ minute: 1_001, sum: 6, count: 2, min: 1, max: 5 }]);
});

test("Prometheus reads counters, gauges and summaries with escaped labels", () => {
  const metrics = new Metrics(clock);
  metrics.series(id("Invocations")).add(1, 1_000);
  metrics.series(id("Invocations")).add(1, 900);
  metrics.series(id("NeverUsed"));
  metrics.series(id("ConcurrentExecutions", { kind: "level", dimensions: {} })).add(7, 999);
  metrics
    .series(
      id("Duration", { kind: "distribution", unit: "Milliseconds", dimensions: { Resource: 'a"\\b\n' } }),
    )
    .add(2.5, 1_000);
  const own = 'account="000000000000",region="eu-west-1"';
  assert.equal(
    prometheusText(metrics),
    [
      "# TYPE aws_lambda_invocations_total counter",
      `aws_lambda_invocations_total{${own},function_name="f"} 2`,
      "",
      "# TYPE aws_lambda_concurrent_executions gauge",
      `aws_lambda_concurrent_executions{${own}} 7`,
      "",
      "# TYPE aws_lambda_duration_milliseconds summary",
      `aws_lambda_duration_milliseconds_sum{${own},resource="a\\"\\\\b\\n"} 2.5`,
      `aws_lambda_duration_milliseconds_count{${own},resource="a\\"\\\\b\\n"} 1`,
      "",
      "# TYPE aws_lambda_duration_milliseconds_max gauge",
      `aws_lambda_duration_milliseconds_max{${own},resource="a\\"\\\\b\\n"} 2.5`,
      "",
    ].join("\n"),
  );
});
