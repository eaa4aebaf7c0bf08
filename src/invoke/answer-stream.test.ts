import assert from "node:assert/strict";
import { test } from "node:test";
import { AnswerStream, weightOf } from "./answer-stream.ts";
import type { Verdict } from "./verdict.ts";

function open(options: { bytesMax?: number; collect?: boolean } = {}) {
  const written: string[] = [];
  const told: string[] = [];
  const verdicts: Verdict[] = [];
  let hold: PromiseWithResolvers<void> | undefined;
  let taken = 0;
  const sink = {
    start: (contentType: string) => void told.push(`start ${contentType}`),
    write(bytes: Buffer) {
      written.push(bytes.toString());
      return hold?.promise;
    },
  };
  const stream = new AnswerStream({
    contentType: "a/b",
    sink: options.collect ? undefined : sink,
    limits: { bytesMax: options.bytesMax ?? 100, burstBytes: 1_000, bytesPerSecond: 0 },
    source: { taken: (weight) => void (taken += weight), ended: () => void told.push("ended") },
    hear: (verdict) => {
      verdicts.push(verdict);
      told.push("verdict");
    },
  });
  return {
    stream,
    written,
    told,
    verdicts,
    taken: () => taken,
    hold: () => void (hold = Promise.withResolvers<void>()),
    release: async () => {
      hold?.resolve();
      hold = undefined;
      await new Promise(setImmediate);
    },
  };
}
const bytes = (text: string) => Buffer.from(text);

test("pieces go on at once, and the end is told after them", () => {
  const { stream, written, told, verdicts, taken } = open();
  stream.write(bytes("a"));
  stream.write(bytes("b"));
  assert.equal(taken(), 2 * weightOf(bytes("a")));
  stream.end();
  assert.deepEqual(written, ["a", "b"]);
  assert.deepEqual(told, ["start a/b", "verdict", "ended"]);
  assert.deepEqual(verdicts, [{ kind: "answer", payload: Buffer.alloc(0) }]);
  assert.equal(stream.bytes, 2);
});

test("what the caller does not take yet waits, is not given back, and goes on together", async () => {
  const { stream, written, told, taken, hold, release } = open();
  hold();
  for (const piece of ["a", "b", "c"]) stream.write(bytes(piece));
  stream.end({ errorType: "Late", payload: bytes("{}") });
  assert.deepEqual([written, taken(), told], [["a"], 0, ["start a/b"]]);
  await release();
  assert.deepEqual(written, ["a", "bc"]);
  assert.equal(taken(), 3 * weightOf(bytes("a")));
  assert.deepEqual(told, ["start a/b", "verdict", "ended"]);
});

test("above the limit the caller gets what is allowed, once, and the runtime may go on writing", () => {
  const { stream, written, told, verdicts, taken } = open({ bytesMax: 3 });
  for (const piece of ["ab", "cd", "ef"]) stream.write(bytes(piece));
  assert.deepEqual(written, ["ab", "c"]);
  assert.deepEqual(verdicts, [{ kind: "tooLarge", bytesMax: 3 }]);
  stream.end();
  assert.deepEqual(told, ["start a/b", "verdict", "ended"]);
  assert.equal(verdicts.length, 1);
  assert.equal(taken(), 3 * weightOf(bytes("ab")));
});

test("an answer that nobody waits for any more is taken and dropped", async () => {
  const { stream, written, told, verdicts, hold, release } = open();
  hold();
  stream.write(bytes("a"));
  stream.write(bytes("b"));
  stream.close();
  await release();
  stream.write(bytes("c"));
  stream.end();
  assert.deepEqual([written, verdicts], [["a"], []]);
  assert.deepEqual(told, ["start a/b", "ended"]);
});

test("without a sink the answer is collected", () => {
  const whole = open({ collect: true });
  whole.stream.write(bytes("a"));
  whole.stream.write(bytes("b"));
  whole.stream.end();
  assert.deepEqual(whole.verdicts, [{ kind: "answer", payload: bytes("ab") }]);
  const failed = open({ collect: true });
  failed.stream.write(bytes("a"));
  failed.stream.end({ errorType: "E", payload: bytes("{}") });
  assert.deepEqual(failed.verdicts, [{ kind: "answer", errorType: "E", payload: bytes("{}") }]);
});
