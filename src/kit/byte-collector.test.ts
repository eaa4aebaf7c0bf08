/** Collecting bytes that come in pieces. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteCollector } from "./byte-collector.ts";

test("bytes come back whole and in order, however they were cut", () => {
  const source = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7) & 0xff));
  for (const step of [1, 3, 64, 99_999, 100_000]) {
    const collector = new ByteCollector();
    for (let at = 0; at < source.length; at += step) collector.push(source.subarray(at, at + step));
    assert.ok(collector.bytes().equals(source), `in pieces of ${step}`);
  }
});

test("a million single bytes are not a million buffers", () => {
  const collector = new ByteCollector();
  const byte = Buffer.from("x");
  for (let at = 0; at < 1_000_000; at++) collector.push(byte);
  assert.ok(collector.pieces < 3_000, String(collector.pieces));
  assert.equal(collector.bytes().length, 1_000_000);
  collector.clear();
  assert.equal(collector.bytes().length, 0);
});

test("one piece is not copied", () => {
  const collector = new ByteCollector();
  const piece = Buffer.from("whole");
  collector.push(piece);
  assert.equal(collector.bytes(), piece);
});
