import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN_BODY_BYTES_MAX, readPlainHead } from "./request-head.ts";

const read = (text: string) => readPlainHead(Buffer.from(text, "latin1"));
const post = (...lines: string[]) => read(["POST /a?b=c HTTP/1.1", "Host: x", ...lines, "", ""].join("\r\n"));

test("method, target, headers in lower case, and where the body is", () => {
  const text =
    "POST /a?b=c HTTP/1.1\r\nHost: x:1\r\nX-Amz-Date:  20261123T101500Z \r\ncontent-length: 3\r\n\r\nabc";
  assert.deepEqual(read(text), {
    method: "POST",
    url: "/a?b=c",
    headers: { host: "x:1", "x-amz-date": "20261123T101500Z", "content-length": "3" },
    end: text.length - 3,
    bodyBytes: 3,
  });
});

test("without a length there is no body", () => {
  assert.equal(read("GET / HTTP/1.1\r\nhost: x\r\n\r\n")?.bodyBytes, 0);
});

test("what asks something of the connection is left to node:http", () => {
  for (const header of [
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "Upgrade: h2c",
    "Connection: close",
    "Connection: keep-alive, upgrade",
    "TE: trailers",
    "Trailer: x",
    "Origin: http://example.com",
    "Sec-Fetch-Site: cross-site",
  ])
    assert.equal(post(header), undefined, header);
  assert.ok(post("Connection: Keep-Alive"));
});

test("what two readers could understand differently is left to node:http", () => {
  for (const header of [
    "Content-Length: 1\r\nContent-Length: 1",
    "content-length: 1\r\nContent-Length: 2",
    "Content-Length: +1",
    "Content-Length: 1, 1",
    "Content-Length: 0x1",
    "Content-Length: ",
    "Content-Length : 1",
    "X-Fold: a\r\n b",
    "X-Bare: a\nX-Other: b",
    "X-Nul: a\0b",
    "X-Tab\t: a",
    ": empty",
    "no colon",
    "__proto__: x",
  ])
    assert.equal(post(header), undefined, JSON.stringify(header));
  for (const line of [
    "GET / HTTP/1.0",
    "GET  / HTTP/1.1",
    "GET http://x/ HTTP/1.1",
    "HEAD / HTTP/1.1",
    "get / HTTP/1.1",
    "GET /\x7f HTTP/1.1",
  ])
    assert.equal(read(`${line}\r\nhost: x\r\n\r\n`), undefined, line);
  assert.equal(read("GET / HTTP/1.1\r\nno-host: x\r\n\r\n"), undefined);
});

test("a head that is not whole, or too large, and a large body are left to node:http", () => {
  assert.equal(read("GET / HTTP/1.1\r\nhost: x\r\n"), undefined);
  assert.equal(post(`x: ${"y".repeat(20_000)}`), undefined);
  assert.ok(post(`content-length: ${PLAIN_BODY_BYTES_MAX}`));
  assert.equal(post(`content-length: ${PLAIN_BODY_BYTES_MAX + 1}`), undefined);
});
