import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenBucket } from "./token-bucket.ts";

function take(bucket: TokenBucket, now: number, times: number): number {
  let taken = 0;
  for (let n = 0; n < times; n++) if (bucket.take(now, 10, 5)) taken++;
  return taken;
}

test("a burst up to the capacity, then the rate, continuously", () => {
  const bucket = new TokenBucket(5, 0);
  assert.equal(take(bucket, 0, 9), 5);
  assert.equal(take(bucket, 99, 9), 0);
  assert.equal(take(bucket, 100, 9), 1);
  assert.equal(take(bucket, 350, 9), 2);
  assert.equal(take(bucket, 400, 9), 1);
  assert.equal(take(bucket, 60_000, 9), 5);
});

test("what is put back can be taken again", () => {
  const bucket = new TokenBucket(1, 0);
  assert.equal(bucket.take(0, 10, 1), true);
  assert.equal(bucket.take(0, 10, 1), false);
  bucket.putBack();
  assert.equal(bucket.take(0, 10, 1), true);
});
