import assert from "node:assert/strict";
import { test } from "node:test";
import { every, sleep } from "./clock.ts";
import { MovableClock } from "./movable-clock.ts";

/** A wait that a machine never reaches within this test. */
const LONG_MS = 3_600_000;

test("an advance calls timers in their order, each at its own time", async () => {
  const clock = new MovableClock();
  const start = clock.now();
  const called: [string, number][] = [];
  const note = (name: string) => called.push([name, clock.now() - start]);
  clock.after(2 * LONG_MS, () => note("second"));
  clock.after(LONG_MS, () => {
    note("first");
    clock.after(LONG_MS / 2, () => note("of the first"));
  });
  clock.after(9 * LONG_MS, () => note("too late"))();
  await clock.advance(3 * LONG_MS);
  assert.deepEqual(
    called.map(([name]) => name),
    ["first", "of the first", "second"],
  );
  for (const [at, wanted] of [1, 1.5, 2].entries()) {
    const late = (called[at]?.[1] ?? 0) - wanted * LONG_MS;
    assert.ok(late >= 0 && late < 60_000, `${late} ms late`);
  }
  assert.ok(clock.now() - start >= 3 * LONG_MS);
});

test("a timer that no advance reaches fires by the machine's clock, also after an advance came close", async () => {
  const clock = new MovableClock();
  const slept = sleep(clock, LONG_MS);
  await clock.advance(LONG_MS - 20);
  await slept;
});

test("a cancelled timer is not called, and an aborted sleep ends", async () => {
  const clock = new MovableClock();
  const cancel = clock.after(LONG_MS, () => assert.fail("called"));
  cancel();
  const abort = new AbortController();
  const slept = sleep(clock, 2 * LONG_MS, abort.signal);
  abort.abort();
  await slept;
  await sleep(clock, LONG_MS, AbortSignal.abort());
  await clock.advance(3 * LONG_MS);
});

test("what is called every minute is called for each minute that passes, until it is ended", async () => {
  const clock = new MovableClock();
  let calls = 0;
  const end = every(clock, 60_000, () => calls++);
  await clock.advance(10 * 60_000 + 1_000);
  assert.equal(calls, 10);
  end();
  await clock.advance(10 * 60_000);
  assert.equal(calls, 10);
});
