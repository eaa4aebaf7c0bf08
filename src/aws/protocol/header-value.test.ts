/** Lists and dates in headers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Shape } from "../model/shape.ts";
import { readHeader, writeHeader } from "./header-value.ts";

const listOf = (shape: Shape): Shape => ({
  kind: "list",
  member: { name: "member", shape, traits: {} },
  constraint: undefined,
});
const strings = listOf({ kind: "string", constraint: undefined });
const dates = listOf({ kind: "timestamp", format: undefined, constraint: undefined });

test("items are split at commas, but not inside quotes", () => {
  assert.deepEqual(readHeader(strings, "a, b ,c"), ["a", "b", "c"]);
  assert.deepEqual(readHeader(strings, '"a, b","c \\" d", e'), ["a, b", 'c " d', "e"]);
});

test("written lists are read back", () => {
  for (const items of [
    ["a", "b c"],
    ["a,b", 'q"q', "\\"],
  ])
    assert.deepEqual(readHeader(strings, writeHeader(strings, items)), items);
});

test("HTTP dates keep their comma", () => {
  const values = [new Date(0), new Date(1_700_000_000_000)];
  assert.equal(writeHeader(dates, values), "Thu, 01 Jan 1970 00:00:00 GMT, Tue, 14 Nov 2023 22:13:20 GMT");
  assert.deepEqual(readHeader(dates, writeHeader(dates, values)), values);
});
