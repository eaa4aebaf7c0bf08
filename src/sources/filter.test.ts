import assert from "node:assert/strict";
import { test } from "node:test";
import { compileFilters } from "./filter.ts";

const filterOf = (...patterns: readonly object[]) => {
  const Filters = patterns.map((pattern) => ({ Pattern: JSON.stringify(pattern) }));
  const filter = compileFilters({ Filters }, "body");
  assert.ok(filter);
  return (body: string | undefined) =>
    filter({ body: body ?? "", eventSource: "aws:sqs", attributes: { SenderId: "me" } }, body);
};

test("no filters let everything by", () => {
  assert.equal(compileFilters(undefined, "body"), undefined);
  assert.equal(compileFilters({ Filters: [] }, "body"), undefined);
});

test("a pattern of JSON looks into a body of JSON, and drops one that is none", () => {
  const lets = filterOf({ body: { City: ["Seattle"], n: [{ numeric: [">", 1] }] } });
  assert.equal(lets('{"City":"Seattle","n":2}'), true);
  assert.equal(lets('{"City":"Paris","n":2}'), false);
  for (const body of ["Seattle", '"Seattle"', "", "{", undefined])
    assert.equal(lets(body), false, String(body));
  assert.equal(filterOf({ body: { absent: [{ exists: false }] } })("no JSON"), false);
});

test("a pattern of text looks at a body of text, and drops JSON", () => {
  const lets = filterOf({ body: ["hello", { prefix: "x" }] });
  assert.equal(lets("hello"), true);
  assert.equal(lets("xyz"), true);
  assert.equal(lets("other"), false);
  assert.equal(lets('{"hello":1}'), false);
  assert.equal(lets('["hello"]'), false);
  assert.equal(lets(undefined), false);
});

test("without a pattern for the body only the metadata count", () => {
  const lets = filterOf({ attributes: { SenderId: ["me"] } });
  for (const body of ["text", '{"a":1}']) assert.equal(lets(body), true);
  assert.equal(filterOf({ eventSource: ["aws:kinesis"] })("text"), false);
});

test("filters are alternatives, and $or may have the body on one side", () => {
  const lets = filterOf({ body: ["a"] }, { body: { b: [1] } });
  assert.deepEqual(["a", '{"b":1}', "c", '{"b":2}'].map(lets), [true, true, false, false]);
  const either = filterOf({ $or: [{ body: { b: [1] } }, { eventSource: ["other"] }] });
  assert.deepEqual(['{"b":1}', '{"b":2}', "text"].map(either), [true, false, false]);
});

test("numbers of the body are compared by their value, as EventBridge does", () => {
  const lets = filterOf({ body: { n: [300] } });
  assert.deepEqual(['{"n":300}', '{"n":3.0e2}', '{"n":300.0}'].map(lets), [true, true, true]);
});

test("patterns are bounded in length and number", () => {
  const long = { Filters: [{ Pattern: JSON.stringify({ body: ["x".repeat(4_100)] }) }] };
  assert.throws(() => compileFilters(long, "body"), /more than 4096 characters/);
  const many = { Filters: Array.from({ length: 11 }, () => ({ Pattern: '{"body":["x"]}' })) };
  assert.throws(() => compileFilters(many, "body"), /more than 10 filters/);
});
