import assert from "node:assert/strict";
import { test } from "node:test";
import { STATE_BYTES_MAX, closesAt, countWithin, openWindow, windowMembers, withState } from "./window.ts";

const at = (time: string) => Date.parse(`2020-07-30T${time}Z`);

test("windows begin at multiples of their size, and hold the records that arrive in them", () => {
  const window = openWindow(at("17:03:12.500"), 300_000);
  assert.deepEqual(window, { start: at("17:00:00"), end: at("17:05:00"), state: "{}" });
  assert.equal(countWithin(window, [at("17:03:00"), at("17:04:59.999"), at("17:05:00")]), 2);
  // One that was readable late stays in order.
  assert.equal(countWithin(window, [at("16:59:59"), at("17:01:00")]), 2);
  assert.equal(closesAt(window), at("17:05:00.500"));
});

test("a state of more than 1 MB ends its window early", () => {
  const last = { sequenceNumber: "7", arrivalMs: at("17:04:00") };
  const window = openWindow(last.arrivalMs, 300_000);
  const filled = (bytes: number) => JSON.stringify("x".repeat(bytes - 2));
  assert.equal(withState(window, "0/1", filled(STATE_BYTES_MAX), last).isTerminatedEarly, false);
  assert.equal(withState(window, "0/1", filled(STATE_BYTES_MAX + 1), last).isTerminatedEarly, true);
});

test("an event of a window has AWS's members in AWS's order", () => {
  const window = { ...openWindow(at("17:03:00"), 300_000), state: `{"1":282,"2":715}` };
  const place = {
    shardId: "shardId-000000000006",
    eventSourceArn: "arn:aws:kinesis:us-east-1:123456789012:stream/lambda-stream",
  };
  const end = { isFinal: false, isTerminatedEarly: false };
  assert.equal(
    `{"Records":[]${windowMembers(window, place, end)}}`,
    JSON.stringify({
      Records: [],
      window: { start: "2020-07-30T17:00:00Z", end: "2020-07-30T17:05:00Z" },
      state: { 1: 282, 2: 715 },
      shardId: "shardId-000000000006",
      eventSourceARN: "arn:aws:kinesis:us-east-1:123456789012:stream/lambda-stream",
      isFinalInvokeForWindow: false,
      isWindowTerminatedEarly: false,
    }),
  );
});
