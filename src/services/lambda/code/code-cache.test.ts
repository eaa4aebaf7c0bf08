/** Which folders go, in which order, and which stay. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CodeCache } from "./code-cache.ts";

test("the least recently used folders go, as many as are too many", () => {
  const cache = new CodeCache(100);
  for (const name of ["a", "b", "c"]) cache.added(name, 30);
  assert.deepEqual(cache.excess(), []);
  cache.hold("a")();
  cache.added("d", 60);
  assert.deepEqual(cache.excess(), ["b", "c"]);
  for (const name of cache.excess()) cache.removed(name);
  assert.deepEqual(cache.excess(), []);
});

test("what is held stays, however much that is, and goes once it is let go", () => {
  const cache = new CodeCache(10);
  const letGo = [cache.hold("a"), cache.hold("a")];
  cache.added("a", 30);
  cache.added("b", 5);
  assert.equal(cache.isHeld("a"), true);
  assert.deepEqual(cache.excess(), ["b"]);
  letGo[0]?.();
  letGo[0]?.();
  assert.equal(cache.isHeld("a"), true, "letting go twice is letting go once");
  letGo[1]?.();
  assert.deepEqual(cache.excess(), ["a"]);
});

test("a folder that is removed while somebody waits for it is held when it is back", () => {
  const cache = new CodeCache(10);
  cache.added("a", 30);
  const letGo = cache.hold("a");
  cache.removed("a");
  assert.equal(cache.isHeld("a"), true);
  cache.added("a", 30);
  assert.deepEqual(cache.excess(), []);
  letGo();
  assert.deepEqual(cache.excess(), ["a"]);
});
