import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { MovableClock } from "../../kit/movable-clock.ts";
import { BATCH_BYTES_MAX } from "../source.ts";
import { Inbox } from "./inbox.ts";
import type { MqMessage } from "./message.ts";

const message = (bytes: number) => ({ bytes }) as MqMessage;
const { signal } = new AbortController();

test("a batch is cut at its size and at 6 MB with what is around it; what fits in none is told", async () => {
  const clock = new MovableClock();
  const inbox = new Inbox(clock, { size: 3, windowMs: 500, envelopeBytes: 100 });
  assert.ok(inbox.fits(message(BATCH_BYTES_MAX - 100)));
  assert.ok(!inbox.fits(message(BATCH_BYTES_MAX - 99)));
  for (let count = 0; count < 4; count++) inbox.add(message(10));
  assert.equal((await inbox.next(signal)).length, 3);
  const large = BATCH_BYTES_MAX / 2 - 50;
  for (const bytes of [large, large, 10]) inbox.add(message(bytes));
  // The one that was left, and one of the large ones.
  assert.deepEqual(
    (await inbox.next(signal)).map(({ bytes }) => bytes),
    [10, large],
  );
});

test("a batch waits for its window, from its first message on, and no longer", async () => {
  const clock = new MovableClock();
  const inbox = new Inbox(clock, { size: 10, windowMs: 60_000, envelopeBytes: 0 });
  const batch = inbox.next(signal);
  inbox.add(message(1));
  await setImmediate();
  await clock.advance(59_000);
  inbox.add(message(2));
  let isCut = false;
  void batch.then(() => (isCut = true));
  await clock.advance(500);
  assert.ok(!isCut);
  await clock.advance(600);
  assert.equal((await batch).length, 2);
});
