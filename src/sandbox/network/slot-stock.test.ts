import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog } from "../../telemetry/log.ts";
import { SlotStock } from "./slot-stock.ts";

const log = createLog("error");

/** A maker whose batches are finished by hand. */
function maker() {
  const batches: { count: number; finish: () => void; fail: (error: Error) => void }[] = [];
  let made = 0;
  const make = (count: number) =>
    new Promise<number[]>((resolve, reject) => {
      batches.push({
        count,
        finish: () => resolve(Array.from({ length: count }, () => ++made)),
        fail: reject,
      });
    });
  return { batches, make };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("a stock is filled by two batches, and refilled when half of it is gone", async () => {
  const { batches, make } = maker();
  const stock = new SlotStock({ target: 8, make, log });
  assert.deepEqual(
    batches.map(({ count }) => count),
    [4, 4],
  );
  for (const { finish } of batches) finish();
  await settle();
  for (let i = 0; i < 4; i++) await stock.take();
  assert.equal(batches.length, 2, "half of it is still there");
  await stock.take();
  assert.deepEqual(
    batches.slice(2).map(({ count }) => count),
    [4, 1],
  );
  for (const { finish } of batches.slice(2)) finish();
  assert.equal((await stock.close()).length, 8);
});

test("callers of a burst share batches, in their order", async () => {
  const { batches, make } = maker();
  const stock = new SlotStock({ target: 0, make, log });
  const order: number[] = [];
  const taken = Array.from({ length: 9 }, async (_, n) => (await stock.take(), order.push(n)));
  for (let i = 0; i < 20; i++) {
    batches.shift()?.finish();
    await settle();
  }
  await Promise.all(taken);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(await stock.close(), []);
});

test("a failure is told to who waits, and is not repeated until somebody asks again", async () => {
  const { batches, make } = maker();
  const stock = new SlotStock({ target: 4, make, log });
  batches[0]?.fail(new Error("no room"));
  await settle();
  assert.equal(batches.length, 1);
  const taken = stock.take();
  batches[1]?.fail(new Error("still no room"));
  await settle();
  // The second batch may still bring one.
  batches[2]?.fail(new Error("no room at all"));
  await assert.rejects(taken, /no room at all/);
  await settle();
  assert.equal(batches.length, 3);
  const last = stock.take();
  batches[3]?.finish();
  assert.ok(await last);
  batches[4]?.finish();
  await stock.close();
});
