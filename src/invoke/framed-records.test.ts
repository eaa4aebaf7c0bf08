/** Frames of AWS's runtime interface clients among plain output. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FramedRecords } from "./framed-records.ts";

function frame(message: string | Buffer, type = 0x03): Buffer {
  const payload = Buffer.from(message);
  const header = Buffer.alloc(type === 0x01 ? 8 : 16);
  header.writeUInt32BE(0xa55a0000 + type);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** What comes of bytes that arrive in pieces of a size; neighbours that are plain are one. */
function told(bytes: Buffer, size: number, bytesMax = 1_000): string[] {
  const out: string[] = [];
  let plain: Buffer[] = [];
  const flush = () => {
    const text = Buffer.concat(plain).toString("latin1");
    if (text !== "") out.push(`plain ${text}`);
    plain = [];
  };
  const records = new FramedRecords(bytesMax, {
    plain: (chunk) => void plain.push(Buffer.from(chunk)),
    record(payload) {
      flush();
      out.push(`record ${payload.toString()}`);
    },
  });
  for (let at = 0; at < bytes.length; at += size) records.push(bytes.subarray(at, at + size));
  records.end();
  flush();
  return out;
}

test("records and what is in no frame are told apart, in their order, however the bytes are cut", () => {
  const bytes = Buffer.concat([
    Buffer.from("before\n"),
    frame("one\nof two lines\n"),
    frame("at a level, without an end", 0x0f),
    frame(""),
    frame("of an old client\n", 0x01),
    Buffer.from("after ¥\n", "latin1"),
  ]);
  for (const size of [1, 2, 3, 7, 16, 17, bytes.length])
    assert.deepEqual(told(bytes, size), [
      "plain before\n",
      "record one\nof two lines\n",
      "record at a level, without an end\n",
      "record of an old client\n",
      "plain after ¥\n",
    ]);
});

test("a record beyond the limit is several, no character torn; one that is cut off is told as far as it came", () => {
  assert.deepEqual(told(frame("aaaäb"), 3, 4), ["record aaa", "record äb\n"]);
  assert.deepEqual(told(frame("whole").subarray(0, -2), 5), ["record who\n"]);
  assert.deepEqual(told(frame("x").subarray(0, 9), 5), ["plain \xa5Z\x00\x03\x00\x00\x00\x01\x00"]);
});

test("a frame that claims 4 GB is passed on as it comes", () => {
  const header = Buffer.from([0xa5, 0x5a, 0, 3, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  const bytes = Buffer.concat([header, Buffer.alloc(10, "x")]);
  assert.deepEqual(told(bytes, 4, 4), ["record xxxx", "record xxxx", "record xx\n"]);
});
