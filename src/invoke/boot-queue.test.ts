import assert from "node:assert/strict";
import { test } from "node:test";
import { BootQueue } from "./boot-queue.ts";

function queue(atOnceMax: number) {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const boots = new BootQueue<string>((owner) => {
    begun.push(owner);
    return new Promise((resolve) => ends.push(resolve));
  }, atOnceMax);
  const end = async () => {
    ends.shift()?.();
    await new Promise(setImmediate);
  };
  return { boots, begun, end };
}

test("no more boots at once than the bound, and the next begins when one has ended", async () => {
  const { boots, begun, end } = queue(2);
  for (const owner of ["a", "b", "c"]) boots.add(owner);
  assert.deepEqual(begun, ["a", "b"]);
  await end();
  assert.deepEqual(begun, ["a", "b", "c"]);
});

test("owners take turns", async () => {
  const { boots, begun, end } = queue(1);
  for (const owner of ["flood", "flood", "flood", "flood", "quiet"]) boots.add(owner);
  for (let n = 0; n < 4; n++) await end();
  assert.deepEqual(begun, ["flood", "flood", "quiet", "flood", "flood"]);
});

test("a boot that is dropped never begins; one that has begun cannot be dropped", async () => {
  const { boots, begun, end } = queue(1);
  for (const owner of ["a", "b", "b"]) boots.add(owner);
  assert.equal(boots.drop("a"), false);
  assert.equal(boots.drop("b"), true);
  await end();
  await end();
  assert.deepEqual(begun, ["a", "b"]);
  assert.equal(boots.drop("b"), false);
});

test("a boot that takes long does not hold up the others for ever", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { boots, begun } = queue(1);
  boots.add("slow");
  boots.add("quick");
  assert.deepEqual(begun, ["slow"]);
  t.mock.timers.tick(1_000);
  await new Promise(setImmediate);
  assert.deepEqual(begun, ["slow", "quick"]);
});
