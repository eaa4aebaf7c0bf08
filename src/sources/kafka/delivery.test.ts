import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvokeOutcome } from "../source.ts";
import { deliver } from "./delivery.ts";
import type { DeliveryPorts, ErrorHandling, GivenUp } from "./delivery.ts";
import type { KafkaEvent } from "./event.ts";

const FOREVER: ErrorHandling = {
  retriesMax: Infinity,
  ageMsMax: Infinity,
  isBisecting: false,
  isReportingItems: false,
};
const events = (count: number): KafkaEvent[] =>
  Array.from({ length: count }, (_, index) => ({
    partition: 0,
    offset: BigInt(index),
    timestampMs: index * 1_000,
    key: null,
    json: "{}",
    bytes: 2,
  }));
const ran = (kind: "ok" | "function-error", payload = "null"): InvokeOutcome => ({
  kind,
  payload: Buffer.from(payload),
  statusCode: 200,
  executedVersion: "$LATEST",
  requestId: "r",
});
const throttled: InvokeOutcome = { kind: "throttled", reason: "r", isSwitchedOff: false, requestId: "r" };

/** Runs a delivery with what answers each invocation; tells what was invoked with, what was given up, and how long it paused. */
async function run(
  count: number,
  handling: Partial<ErrorHandling>,
  answer: (offsets: number[], call: number) => InvokeOutcome,
  nowMs = 0,
) {
  const invoked: number[][] = [];
  const givenUp: [number[], GivenUp["condition"], number][] = [];
  const pauses: number[] = [];
  const stopping = new AbortController();
  const offsetsOf = (some: readonly KafkaEvent[]) => some.map(({ offset }) => Number(offset));
  const ports: DeliveryPorts = {
    signal: stopping.signal,
    topic: "t",
    now: () => nowMs,
    async sleep(ms) {
      pauses.push(ms);
      if (pauses.length === 20) stopping.abort();
    },
    async invoke(some) {
      invoked.push(offsetsOf(some));
      return answer(offsetsOf(some), invoked.length);
    },
    async giveUp(some, { condition, invokeCount }) {
      givenUp.push([offsetsOf(some), condition, invokeCount]);
    },
    processed: () => undefined,
    failed: () => undefined,
  };
  const isDone = await deliver(events(count), { ...FOREVER, ...handling }, ports);
  return { isDone, invoked, givenUp, pauses };
}

test("a batch is retried with growing pauses until it succeeds, or until it is stopped", async () => {
  const { isDone, invoked, pauses } = await run(2, {}, (_, call) => ran(call < 4 ? "function-error" : "ok"));
  assert.deepEqual([isDone, invoked.length, pauses], [true, 4, [500, 1_000, 2_000]]);
  const never = await run(1, {}, () => ran("function-error"));
  assert.deepEqual([never.isDone, never.givenUp, never.pauses.at(-1)], [false, [], 30_000]);
});

test("what is throttled uses up no retry", async () => {
  const answers = [throttled, throttled, ran("function-error"), throttled, ran("function-error")];
  const { isDone, givenUp } = await run(1, { retriesMax: 1 }, (_, call) => answers[call - 1] ?? ran("ok"));
  assert.deepEqual([isDone, givenUp], [true, [[[0], "RetryAttemptsExhausted", 2]]]);
});

test("bisection finds the one that fails, in order, and splitting uses up no retry", async () => {
  const { invoked, givenUp } = await run(4, { isBisecting: true, retriesMax: 1 }, (offsets) =>
    ran(offsets.includes(2) ? "function-error" : "ok"),
  );
  assert.deepEqual(invoked, [[0, 1, 2, 3], [0, 1], [2, 3], [2], [2], [3]]);
  assert.deepEqual(givenUp, [[[2], "RetryAttemptsExhausted", 2]]);
});

test("only reported items are retried; a report that cannot be understood fails all", async () => {
  const report = (...offsets: number[]) =>
    JSON.stringify({
      batchItemFailures: offsets.map((offset) => ({ itemIdentifier: { partition: "t-0", offset } })),
    });
  const some = await run(4, { isReportingItems: true }, (_, call) =>
    ran("ok", call === 1 ? report(3, 1) : "{}"),
  );
  assert.deepEqual(some.invoked, [
    [0, 1, 2, 3],
    [1, 3],
  ]);
  const odd = await run(2, { isReportingItems: true, retriesMax: 0 }, () => ran("ok", report(9)));
  assert.deepEqual(odd.givenUp, [[[0, 1], "RetryAttemptsExhausted", 1]]);
  const ignored = await run(2, {}, () => ran("ok", report(1)));
  assert.deepEqual(ignored.invoked, [[0, 1]]);
});

test("what is too old is given up before it is handed over, also while the function is throttled", async () => {
  const { invoked, givenUp } = await run(3, { ageMsMax: 1_500 }, () => ran("ok"), 2_600);
  assert.deepEqual([invoked, givenUp], [[[2]], [[[0, 1], "RecordAgeExceeded", 0]]]);
});
