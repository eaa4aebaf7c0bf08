import assert from "node:assert/strict";
import { test } from "node:test";
import { RCODE, emptyAnswer, isAnswer, readAddresses, readQuestion } from "./dns-message.ts";

const name = (text: string) =>
  Buffer.concat([
    ...text.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.of(0),
  ]);
const header = (flags: number, questions: number, answers: number) =>
  Buffer.from([0x12, 0x34, flags >> 8, flags & 255, 0, questions, 0, answers, 0, 0, 0, 0]);
const query = (host: string) => Buffer.concat([header(0x0100, 1, 0), name(host), Buffer.from([0, 1, 0, 1])]);
const record = (owner: Buffer, type: number, ttl: number, data: Buffer) =>
  Buffer.concat([owner, Buffer.from([0, type, 0, 1, 0, 0, ttl >> 8, ttl & 255, 0, data.length]), data]);
const answer = (host: string, ...records: Buffer[]) =>
  Buffer.concat([header(0x8180, 1, records.length), name(host), Buffer.from([0, 1, 0, 1]), ...records]);
const toQuestion = Buffer.from([0xc0, 12]);

test("a question is read in lower case", () => {
  assert.deepEqual(readQuestion(query("API.Example.com")), { id: 0x1234, name: "api.example.com", end: 33 });
  assert.equal(isAnswer(query("a.b")), false);
});

test("addresses are found behind aliases and compressed names; other records are passed over", () => {
  const message = answer(
    "www.example.com",
    record(toQuestion, 5, 60, name("cdn.example.net")),
    record(name("cdn.example.net"), 1, 300, Buffer.from([192, 0, 2, 7])),
    record(toQuestion, 28, 300, Buffer.alloc(16)),
    record(toQuestion, 1, 20, Buffer.from([192, 0, 2, 8])),
  );
  assert.equal(isAnswer(message), true);
  assert.deepEqual(readAddresses(message), [
    { address: "192.0.2.7", ttl: 300 },
    { address: "192.0.2.8", ttl: 20 },
  ]);
});

test("what is malformed is told, and never read beyond its end", () => {
  const good = answer("a.example", record(toQuestion, 1, 20, Buffer.from([192, 0, 2, 8])));
  for (let length = 0; length < good.length; length++)
    assert.equal(readAddresses(good.subarray(0, length)), undefined);
  const loop = Buffer.concat([header(0x0100, 1, 0), toQuestion, Buffer.from([0, 1, 0, 1])]);
  assert.equal(readQuestion(loop), undefined);
  const dotted = Buffer.concat([
    header(0x0100, 1, 0),
    Buffer.from([3, 0x61, 0x2e, 0x62, 0]),
    Buffer.from([0, 1, 0, 1]),
  ]);
  assert.equal(readQuestion(dotted), undefined, "a dot in a label");
  const two = Buffer.concat([header(0x0100, 2, 0), name("a"), Buffer.from([0, 1, 0, 1])]);
  assert.equal(readQuestion(two), undefined, "two questions");
});

test("a refusal repeats the question and holds nothing", () => {
  const asked = Buffer.concat([query("a.example"), Buffer.from("additional")]);
  const question = readQuestion(asked);
  assert.ok(question);
  const refused = emptyAnswer(asked, question, RCODE.refused);
  assert.equal(refused.readUInt16BE(2), 0x8185);
  assert.deepEqual(readQuestion(refused), question);
  assert.deepEqual(readAddresses(refused), []);
  assert.equal(refused.length, question.end);
});
