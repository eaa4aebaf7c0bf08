import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH_BYTES, BATCH_JOBS_MAX, decodeBatch, encodeBatch, inBatches } from "./batch.ts";

const job = (group: string, payload: Uint8Array) => ({ group, payload: Buffer.from(payload) });

test("a batch keeps its jobs' groups and bytes, in order", () => {
  const jobs = [
    job("a", Buffer.from([0, 255, 1])),
    job("a", Buffer.alloc(0)),
    job("", Buffer.from("{}")),
    job("", Buffer.from("x")),
    job("é", Buffer.alloc(70_000, 7)),
    job("a", Buffer.from("again")),
  ];
  assert.deepEqual(decodeBatch(encodeBatch(jobs)), jobs);
  assert.deepEqual(decodeBatch(encodeBatch([])), []);
});

test("jobs of one group tell its name once", () => {
  const group = "g".repeat(100);
  const bytes = (count: number) =>
    encodeBatch(Array.from({ length: count }, () => job(group, Buffer.from("x")))).length;
  assert.equal(bytes(1), 109);
  assert.equal(bytes(11), 109 + 10 * 9);
});

test("jobs are split into batches by number and by bytes, and none is lost", () => {
  const small = Array.from({ length: BATCH_JOBS_MAX * 2 + 1 }, (_, n) => job(String(n), Buffer.alloc(1)));
  const batches = [...inBatches(small)];
  assert.deepEqual(
    batches.map(({ length }) => length),
    [BATCH_JOBS_MAX, BATCH_JOBS_MAX, 1],
  );
  assert.deepEqual(batches.flat(), small);
  const large = Array.from({ length: 5 }, () => job("", Buffer.alloc(BATCH_BYTES / 2)));
  assert.deepEqual(
    [...inBatches(large)].map(({ length }) => length),
    [2, 2, 1],
  );
  assert.deepEqual([...inBatches([])], []);
});
