import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock, encodeBlock } from "../../../kit/block.ts";
import type { EventHeader } from "./event.ts";
import { afterDelay, afterFunctionError, isTooOld } from "./retry.ts";

const fresh: EventHeader = {
  requestId: "r",
  account: "000000000000",
  region: "us-east-1",
  name: "f",
  acceptedAt: 1_000,
  failures: 0,
  delays: 0,
};

test("a function error is retried after one minute, then after two, then given up", () => {
  const first = afterFunctionError(fresh, undefined, 5_000);
  assert.ok(first.kind === "again" && first.at === 65_000 && first.header.failures === 1);
  const second = afterFunctionError(first.header, undefined, 70_000);
  assert.ok(second.kind === "again" && second.at === 190_000);
  assert.deepEqual(afterFunctionError(second.header, undefined, 200_000), {
    kind: "give up",
    condition: "RetriesExhausted",
  });
});

test("throttles wait one second, doubling to five minutes, and count as no retry", () => {
  let header = fresh;
  const waits = [];
  for (let at = 0; at < 12; at++) {
    const decision = afterDelay(header, undefined, 10_000);
    assert.ok(decision.kind === "again");
    waits.push((decision.at - 10_000) / 1_000);
    header = decision.header;
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  assert.equal(header.failures, 0);
});

test("an event of more than six hours is given up", () => {
  const late = 1_000 + 6 * 3_600_000;
  assert.equal(isTooOld(fresh, undefined, late), false);
  assert.equal(isTooOld(fresh, undefined, late + 1), true);
  assert.deepEqual(afterDelay(fresh, undefined, late), { kind: "give up", condition: "EventAgeExceeded" });
});

test("fewer retries and a shorter life are as configured", () => {
  const none = { retryAttempts: 0, eventAgeSeconds: null };
  assert.deepEqual(afterFunctionError(fresh, none, 5_000), {
    kind: "give up",
    condition: "RetriesExhausted",
  });
  const one = { retryAttempts: 1, eventAgeSeconds: null };
  const first = afterFunctionError(fresh, one, 5_000);
  assert.ok(first.kind === "again");
  assert.equal(afterFunctionError(first.header, one, 70_000).kind, "give up");
  const short = { retryAttempts: null, eventAgeSeconds: 60 };
  assert.equal(isTooOld(fresh, short, 61_000), false);
  assert.equal(isTooOld(fresh, short, 61_001), true);
  const aged = { kind: "give up", condition: "EventAgeExceeded" };
  assert.deepEqual(afterFunctionError(fresh, short, 5_000), aged, "the retry would come too late");
  assert.equal(afterDelay(fresh, short, 5_000).kind, "again");
});

test("an event survives the queue byte for byte", () => {
  const payload = Buffer.from([0, 255, 123, 125]);
  const { header, payload: read } = decodeBlock(encodeBlock({ ...fresh, traceHeader: "Root=é" }, payload));
  assert.deepEqual(header, { ...fresh, traceHeader: "Root=é" });
  assert.deepEqual(read, payload);
});
