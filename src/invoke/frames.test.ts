import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAME, FrameError, FrameReader, encodeInvoke, frameBytesMax } from "./frames.ts";
import type { RuntimeFrame } from "./frames.ts";

function frame(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length + 1, 0);
  head[4] = type;
  return Buffer.concat([head, body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length, 0);
  return Buffer.concat([head, bytes]);
}

function read(...chunks: Buffer[]): RuntimeFrame[] {
  const frames: RuntimeFrame[] = [];
  const reader = new FrameReader((each) => frames.push(each));
  for (const chunk of chunks) reader.push(chunk);
  return frames;
}

const EVERY = Buffer.concat([
  frame(FRAME.hello, Buffer.from([1, 0, 0, 1, 2])),
  frame(FRAME.initResult, Buffer.concat([Buffer.from([1]), text("")])),
  frame(FRAME.log, Buffer.concat([Buffer.from([1, 3]), Buffer.from("a\n")])),
  frame(FRAME.response, Buffer.concat([text("id-ü"), Buffer.from("{}")])),
  frame(FRAME.error, Buffer.concat([text("id"), text("Error"), Buffer.alloc(0)])),
]);

test("frames come out whole however the stream is cut", () => {
  const whole = read(EVERY);
  assert.deepEqual(whole, [
    { type: "hello", version: 1, pid: 258 },
    { type: "initResult", ok: true, errorType: "", payload: Buffer.alloc(0) },
    { type: "log", record: true, level: 3, payload: Buffer.from("a\n") },
    { type: "response", requestId: "id-ü", payload: Buffer.from("{}") },
    { type: "error", requestId: "id", errorType: "Error", payload: Buffer.alloc(0) },
  ]);
  assert.deepEqual(read(...[...EVERY].map((byte) => Buffer.from([byte]))), whole);
  for (let at = 1; at < EVERY.length; at++)
    assert.deepEqual(read(EVERY.subarray(0, at), EVERY.subarray(at)), whole);
});

test("what is no frame is refused", () => {
  const tooLong = Buffer.alloc(4);
  tooLong.writeUInt32BE(frameBytesMax + 1, 0);
  const shortField = frame(FRAME.response, Buffer.from([0, 0, 0, 9, 65]));
  for (const bytes of [
    Buffer.alloc(4),
    tooLong,
    frame(99, Buffer.alloc(1)),
    shortField,
    frame(FRAME.hello, Buffer.alloc(1)),
  ])
    assert.throws(() => read(bytes), FrameError);
});

test("an invoke frame has its fields in order, and a large payload is not copied", () => {
  const invocation = {
    deadline: 1_700_000_000_123.5,
    requestId: "r",
    functionArn: "arn:ü",
    traceHeader: "",
    clientContext: "{}",
    cognitoIdentity: "",
    payload: Buffer.from("[1]"),
  };
  const [bytes] = encodeInvoke(invocation);
  assert.ok(bytes);
  assert.equal(bytes.readUInt32BE(0), bytes.length - 4);
  assert.equal(bytes[4], FRAME.invoke);
  assert.equal(bytes.readDoubleBE(5), invocation.deadline);
  const fields = Buffer.concat([...["r", "arn:ü", "", "{}", ""].map(text), Buffer.from("[1]")]);
  assert.deepEqual(bytes.subarray(13), fields);
  const large = Buffer.alloc(100_000);
  const [head, payload] = encodeInvoke({ ...invocation, payload: large });
  assert.equal(payload, large);
  assert.equal(head?.readUInt32BE(0), (head?.length ?? 0) - 4 + large.length);
});

test("while frames are held only what was recalled is told; the rest comes in order", () => {
  const frames: RuntimeFrame[] = [];
  const reader = new FrameReader((each) => {
    frames.push(each);
    if (each.type === "response") reader.hold();
  });
  const response = (id: string) => frame(FRAME.response, Buffer.concat([text(id), Buffer.from("1")]));
  const recalled = frame(FRAME.recalled, Buffer.concat([text("c"), text("d")]));
  const ids = () => frames.splice(0).map((each) => ("requestId" in each ? each.requestId : each));
  reader.push(Buffer.concat([response("a"), recalled, response("b"), recalled]));
  assert.deepEqual(ids(), ["a", { type: "recalled", requestIds: ["c", "d"] }]);
  reader.push(response("e").subarray(0, 7));
  assert.deepEqual(ids(), []);
  reader.resume();
  assert.deepEqual(ids(), ["b", { type: "recalled", requestIds: ["c", "d"] }]);
  reader.push(response("e").subarray(7));
  assert.deepEqual(ids(), []);
  reader.resume();
  assert.deepEqual(ids(), ["e"]);
});
