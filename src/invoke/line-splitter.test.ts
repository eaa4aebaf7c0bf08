import assert from "node:assert/strict";
import { test } from "node:test";
import { LineSplitter } from "./line-splitter.ts";

function split(bytesMax: number, chunks: readonly string[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(bytesMax, (line) => lines.push(line.toString()));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return lines;
}

test("lines keep their line feed, however the stream is cut", () => {
  const text = "one\n\ntwo\nrest";
  assert.deepEqual(split(100, [text]), ["one\n", "\n", "two\n", "rest"]);
  assert.deepEqual(split(100, text.split("")), ["one\n", "\n", "two\n", "rest"]);
});

test("a line that is too long becomes several", () => {
  assert.deepEqual(split(4, ["abcdefghij\nk\n"]), ["abcd", "efgh", "ij\n", "k\n"]);
  assert.deepEqual(split(4, ["abcüdef\n"]), ["abc", "üde", "f\n"]);
  assert.deepEqual(split(4, ["ab😀c\n"]), ["ab", "😀", "c\n"]);
  assert.deepEqual(split(4, ["abc\nabcd\n"]), ["abc\n", "abcd", "\n"]);
});
