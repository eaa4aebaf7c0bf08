/** Tumbling windows of stream mappings. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { UpdateEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import { MovableClock } from "../../src/index.ts";
import { ran, startStreams, textsOf, until } from "./stream-setting.ts";
import type { Run, StreamSetting } from "./stream-setting.ts";

const WINDOW_S = 60;
const SUM = `if (event.isFinalInvokeForWindow) return { state: {} };
  return { state: { sum: (event.state.sum ?? 0) + texts.map(Number).reduce((a, b) => a + b, 0) } };`;

const clock = new MovableClock();
let setting: StreamSetting;
before(async () => {
  setting = await startStreams({ clock, shardThroughput: 0 });
});
after(() => setting?.stop());

/** Moves the clock to shortly after a window's beginning. */
async function toWindowStart(): Promise<void> {
  const size = WINDOW_S * 1_000;
  await clock.advance(size - (clock.now() % size) + 1_000);
}

const shape = ({ event }: Run) => [
  event.Records.length,
  event.state,
  event.isFinalInvokeForWindow,
  event.isWindowTerminatedEarly,
];

test("TumblingWindowInSeconds: state goes from run to run, and each window ends with a run without records", async () => {
  await toWindowStart();
  const recorder = await setting.record(SUM);
  const stream = await setting.stream();
  await setting.map(recorder, stream, { TumblingWindowInSeconds: WINDOW_S });
  await setting.put(stream, ["1", "2"]);
  await ran(recorder, 1);
  await setting.put(stream, ["3"]);
  const [first] = await ran(recorder, 2);
  await clock.advance(WINDOW_S * 1_000);
  await ran(recorder, 3);
  await setting.put(stream, ["10"]);
  const runs = await ran(recorder, 4);
  assert.deepEqual(runs.map(shape), [
    [2, {}, false, false],
    [1, { sum: 3 }, false, false],
    [0, { sum: 6 }, true, false],
    [1, {}, false, false],
  ]);
  const { window, shardId, eventSourceARN } = first?.event ?? {};
  assert.equal(shardId, "shardId-000000000000");
  assert.equal(eventSourceARN, stream);
  const start = Date.parse(window?.start ?? "");
  assert.equal(start % (WINDOW_S * 1_000), 0);
  assert.equal(Date.parse(window?.end ?? "") - start, WINDOW_S * 1_000);
  assert.match(window?.start ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.notDeepEqual(runs[3]?.event.window, window);
});

test("records of one batch are of one window; an answer without state is a failure", async () => {
  await toWindowStart();
  const recorder = await setting.record(`if (n === 0) return {}; return { state: event.state };`);
  const stream = await setting.stream();
  await setting.put(stream, ["1"]);
  await clock.advance(WINDOW_S * 1_000);
  await setting.put(stream, ["2"]);
  await setting.map(recorder, stream, { TumblingWindowInSeconds: WINDOW_S });
  const runs = await ran(recorder, 4);
  assert.deepEqual(runs.map(textsOf), [["1"], ["1"], [], ["2"]]);
});

test("a state of more than 1 MB ends its window early", async () => {
  await toWindowStart();
  const recorder = await setting.record(
    `if (event.isFinalInvokeForWindow) return { state: {} };
  const big = texts.includes("big");
  event.state = Object.keys(event.state);
  return { state: big ? { text: "x".repeat(1_048_577) } : { small: 1 } };`,
  );
  const stream = await setting.stream();
  await setting.map(recorder, stream, { TumblingWindowInSeconds: WINDOW_S });
  await setting.put(stream, ["big"]);
  const early = (await ran(recorder, 2))[1];
  assert.equal(early?.event.isFinalInvokeForWindow, true);
  assert.equal(early?.event.isWindowTerminatedEarly, true);
  await setting.put(stream, ["1"]);
  const [first, , third] = await ran(recorder, 3);
  assert.deepEqual(third?.event.state, []);
  assert.deepEqual(third?.event.window, first?.event.window);
});

test("what is left of a split batch is in a new window when the state was too large", async () => {
  await toWindowStart();
  const recorder = await setting.record(
    `if (event.isFinalInvokeForWindow) { event.state = Object.keys(event.state); return {}; }
  if (texts.length > 1) throw new Error("one at a time");
  return { state: texts[0] === "big" ? { text: "x".repeat(1_048_577) } : { small: 1 } };`,
  );
  const stream = await setting.stream();
  await setting.put(stream, ["big", "1"]);
  await setting.map(recorder, stream, {
    TumblingWindowInSeconds: WINDOW_S,
    BisectBatchOnFunctionError: true,
  });
  const runs = await ran(recorder, 4);
  assert.deepEqual(runs.map(shape), [
    [2, {}, false, false],
    [1, {}, false, false],
    [0, ["text"], true, true],
    [1, {}, false, false],
  ]);
});

test("a batch does not outwait its window", async () => {
  await toWindowStart();
  const recorder = await setting.record(SUM);
  const stream = await setting.stream();
  await setting.map(recorder, stream, {
    TumblingWindowInSeconds: WINDOW_S,
    MaximumBatchingWindowInSeconds: 300,
  });
  await setting.put(stream, ["7"]);
  await clock.advance(30_000);
  assert.deepEqual(await recorder.runs(), []);
  await clock.advance(35_000);
  assert.deepEqual((await ran(recorder, 2)).map(shape), [
    [1, {}, false, false],
    [0, { sum: 7 }, true, false],
  ]);
});

test("a window outlives the server's mapping: disabled and enabled, it goes on with its state", async () => {
  await toWindowStart();
  const recorder = await setting.record(SUM);
  const stream = await setting.stream();
  const { UUID } = await setting.map(recorder, stream, { TumblingWindowInSeconds: WINDOW_S });
  await setting.put(stream, ["5"]);
  await ran(recorder, 1);
  await setting.enable(UUID, false);
  await setting.put(stream, ["6"]);
  await setting.enable(UUID, true);
  await ran(recorder, 2);
  await clock.advance(WINDOW_S * 1_000);
  const runs = await ran(recorder, 3);
  assert.deepEqual(runs.map(shape), [
    [1, {}, false, false],
    [1, { sum: 5 }, false, false],
    [0, { sum: 11 }, true, false],
  ]);
  await until("nothing more runs", async () => (await recorder.runs()).length === 3);
});

test("a final run that fails is retried, and given up as a batch is", async () => {
  await toWindowStart();
  const recorder = await setting.record(
    `if (event.isFinalInvokeForWindow) throw new Error("no end");
  return { state: { n: 1 } };`,
  );
  const stream = await setting.stream();
  await setting.map(recorder, stream, { TumblingWindowInSeconds: WINDOW_S, MaximumRetryAttempts: 1 });
  await setting.put(stream, ["1"]);
  await ran(recorder, 1);
  await clock.advance(WINDOW_S * 1_000);
  await ran(recorder, 3);
  await setting.put(stream, ["2"]);
  const runs = await ran(recorder, 4);
  assert.deepEqual(runs.map(shape), [
    [1, {}, false, false],
    [0, { n: 1 }, true, false],
    [0, { n: 1 }, true, false],
    [1, {}, false, false],
  ]);
});

test("with ParallelizationFactor each lane has its window; those of lanes that are no more are ended", async () => {
  await toWindowStart();
  const recorder = await setting.record(SUM);
  const stream = await setting.stream();
  const { UUID } = await setting.map(recorder, stream, {
    TumblingWindowInSeconds: WINDOW_S,
    ParallelizationFactor: 10,
  });
  // The keys 0 to 7 are of several lanes.
  await setting.put(stream, ["1", "2", "4", "8", "16", "32", "64", "128"], String);
  const all = async () => (await recorder.runs()).filter(({ event }) => !event.isFinalInvokeForWindow);
  const finals = async () => (await recorder.runs()).filter(({ event }) => event.isFinalInvokeForWindow);
  const sumOf = (runs: readonly Run[]) =>
    runs.reduce((sum, { event }) => sum + (event.state as { sum: number }).sum, 0);
  await until("all have come", async () => (await all()).flatMap(textsOf).length === 8);
  const lanes = (await all()).length;
  assert.ok(lanes > 1);
  await setting.lambda.send(new UpdateEventSourceMappingCommand({ UUID, ParallelizationFactor: 2 }));
  await until("the windows of ten lanes have ended", async () => sumOf(await finals()) === 255);
  await setting.inState(UUID, "Enabled");
  await setting.put(stream, ["1", "2", "4"], String);
  await until("they have come", async () => (await all()).flatMap(textsOf).length === 11);
  await clock.advance(WINDOW_S * 1_000);
  await until("those of two lanes have ended", async () => sumOf(await finals()) === 262);
});
