/** What a bootstrap, or a function that writes into its socket, may do with a streamed answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answerWindowBytes, weightOf } from "./answer-stream.ts";
import { FramedAnswer } from "./framed-answer.ts";
import { FrameError } from "./frames.ts";

function open() {
  const heard: string[] = [];
  const credits: number[] = [];
  const answer = new FramedAnswer("id", {
    credit: (weight) => credits.push(weight),
    next: () => heard.push("next"),
  });
  answer.begin({
    write: (bytes) => heard.push(`write ${bytes.length}`),
    end: (failure) => heard.push(failure ? `fail ${failure.errorType}` : "end"),
    refuse: () => assert.fail("frames are never refused"),
  });
  return { answer, heard, credits };
}
const piece = Buffer.alloc(60_000);
const fitting = Math.floor(answerWindowBytes / weightOf(piece));

test("more than the window without credit is a breach, whether large or in tiny pieces", () => {
  const large = open();
  for (let count = 0; count < fitting; count++) large.answer.chunk("id", piece);
  assert.throws(() => large.answer.chunk("id", piece), FrameError);
  const tiny = open();
  const byte = Buffer.alloc(1);
  assert.throws(() => {
    for (let count = 0; count < answerWindowBytes / 100; count++) tiny.answer.chunk("id", byte);
  }, FrameError);
});

test("credit is what was taken, in few pieces, and makes room for as much", () => {
  const { answer, credits } = open();
  for (let round = 0; round < 50; round++) {
    answer.chunk("id", piece);
    answer.taken(weightOf(piece));
  }
  const given = credits.reduce((sum, weight) => sum + weight, 0);
  assert.ok(credits.length < 20 && given > 50 * weightOf(piece) - answerWindowBytes, credits.join());
});

test("what names another invocation is nobody's, and after the end nothing comes", () => {
  const { answer, heard, credits } = open();
  answer.chunk("other", piece);
  answer.end("other");
  answer.chunk("id", piece);
  answer.end("id", { errorType: "E", payload: piece });
  answer.chunk("id", piece);
  answer.end("id");
  answer.taken(answerWindowBytes);
  assert.deepEqual([heard, credits], [["write 60000", "fail E"], []]);
});

test("the runtime is back when it asks and the caller has the answer, whichever is first", () => {
  const first = open();
  first.answer.next();
  assert.deepEqual(first.heard, []);
  first.answer.ended();
  assert.deepEqual(first.heard, ["next"]);
  const second = open();
  second.answer.ended();
  assert.deepEqual(second.heard, []);
  second.answer.next();
  assert.deepEqual(second.heard, ["next"]);
});
