import assert from "node:assert/strict";
import { test } from "node:test";
import { readBatchAnswer } from "./batch-item-failures.ts";

const read = (answer: string) =>
  readBatchAnswer(Buffer.from(answer), (id) => (["a", "b"].includes(id as string) ? id : undefined));

test("what reports nothing is a success", () => {
  for (const answer of [
    "",
    "null",
    "{}",
    "[]",
    '""',
    '"done"',
    "42",
    '{"batchItemFailures":[]}',
    '{"batchItemFailures":null}',
    '{"statusCode":200}',
  ])
    assert.deepEqual(read(answer), { outcome: "success" }, answer);
});

test("identifiers of the batch are the items that failed, each once", () => {
  assert.deepEqual(read('{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}'), {
    outcome: "partial",
    failed: ["b"],
  });
});

test("what cannot be understood fails the whole batch, with the reason", () => {
  for (const [answer, why] of [
    ["{", /not JSON/],
    ['{"batchItemFailures":{"itemIdentifier":"a"}}', /not a list/],
    ['{"batchItemFailures":["a"]}', /has no itemIdentifier/],
    ['{"batchItemFailures":[null]}', /has no itemIdentifier/],
    ['{"batchItemFailures":[{"ItemIdentifier":"a"}]}', /has no itemIdentifier/],
    ['{"batchItemFailures":[{"itemIdentifier":null}]}', /is empty/],
    ['{"batchItemFailures":[{"itemIdentifier":""}]}', /is empty/],
    ['{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}', /"c"/],
    ['{"batchItemFailures":[{"itemIdentifier":7}]}', /no item of the batch/],
  ] as const) {
    const answered = read(answer);
    assert.equal(answered.outcome, "failure", answer);
    assert.match(answered.outcome === "failure" ? answered.why : "", why);
  }
});
