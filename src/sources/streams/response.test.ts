import assert from "node:assert/strict";
import { test } from "node:test";
import { readAnswer } from "./response.ts";

const sequenceNumbers = ["10", "11", "12"];
const read = (answer: string, change: object = {}) =>
  readAnswer(Buffer.from(answer), {
    sequenceNumbers,
    reportsItemFailures: true,
    needsState: false,
    ...change,
  });
const failures = (...ids: unknown[]) =>
  JSON.stringify({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });

test("ReportBatchItemFailures: the lowest failed record, or none, or all where the answer is bad", () => {
  const done = { kind: "done" };
  const failed = { kind: "failed" };
  for (const [answer, expected] of [
    ["", done],
    ["null", done],
    ["{}", done],
    [`{"batchItemFailures":null}`, done],
    [`{"batchItemFailures":[]}`, done],
    [failures("12", "11"), { kind: "done until", at: 1 }],
    [failures("10"), { kind: "done until", at: 0 }],
    [failures(""), failed],
    [failures(null), failed],
    [failures("11", "99"), failed],
    [failures(11), failed],
    [`{"batchItemFailures":[{"itemId":"11"}]}`, failed],
    [`{"batchItemFailures":[null]}`, failed],
    [`{"batchItemFailures":{}}`, failed],
    [`{"batchItemFailures":`, failed],
  ] as const)
    assert.deepEqual(read(answer), { result: expected }, answer);
});

test("without it, any answer means success", () => {
  assert.deepEqual(read(failures("11"), { reportsItemFailures: false }), { result: { kind: "done" } });
  assert.deepEqual(read("no JSON", { reportsItemFailures: false }), { result: { kind: "done" } });
});

test("in a window, an answer without state is a failure", () => {
  const window = { needsState: true, reportsItemFailures: false };
  for (const answer of ["", "null", "{}", `{"state":null}`, "no JSON", `"text"`])
    assert.deepEqual(read(answer, window), { result: { kind: "failed" } }, answer);
  assert.deepEqual(read(`{"state":{"n":1}}`, window), { result: { kind: "done" }, state: `{"n":1}` });
  const both = `{"state":{"n":1},"batchItemFailures":[{"itemIdentifier":"11"}]}`;
  assert.deepEqual(read(both, { needsState: true }), {
    result: { kind: "done until", at: 1 },
    state: `{"n":1}`,
  });
});
