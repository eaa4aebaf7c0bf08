import assert from "node:assert/strict";
import { test } from "node:test";
import { RateBucket } from "./rate-bucket.ts";

test("the burst goes at once, the rest at the rate, and no more than a burst is ever saved up", () => {
  const bucket = new RateBucket(1_000, 100, 0);
  bucket.spend(999);
  assert.equal(bucket.waitMs(0), 0);
  bucket.spend(101);
  // A hundred bytes too many at a hundred a second, and one to go on with.
  assert.equal(bucket.waitMs(0), 1_010);
  assert.equal(bucket.waitMs(1_000), 10);
  assert.equal(bucket.waitMs(1_010), 0);
  bucket.spend(1);
  assert.equal(bucket.waitMs(1_000_000), 0);
  bucket.spend(1_000);
  assert.ok(bucket.waitMs(1_000_000) > 0);
});

test("without a rate nothing waits", () => {
  const bucket = new RateBucket(0, 0, 0);
  bucket.spend(1_000_000);
  assert.equal(bucket.waitMs(0), 0);
});
