import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpError, HttpRequestReader } from "./http-request.ts";
import type { HttpRequest } from "./http-request.ts";

const bodyBytesMax = 10;

function read(...chunks: string[]): { requests: HttpRequest[]; continues: number } {
  const requests: HttpRequest[] = [];
  let continues = 0;
  const reader = new HttpRequestReader(bodyBytesMax, {
    request: (request) => requests.push(request),
    expectsContinue: () => void (continues += 1),
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return { requests, continues };
}

const STREAM =
  "GET /a?x=1 HTTP/1.1\r\nHost: h\r\n\r\n" +
  "POST /b HTTP/1.1\r\ncontent-length: 5\r\nX-Y:  two words \r\n\r\nhello" +
  "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n";

test("requests come out whole however the stream is cut", () => {
  const { requests } = read(STREAM);
  assert.deepEqual(
    requests.map((each) => [each.method, each.path, each.body.toString(), each.bodyBytes, each.keepAlive]),
    [
      ["GET", "/a", "", 0, true],
      ["POST", "/b", "hello", 5, true],
      ["POST", "/c", "abcde", 5, false],
    ],
  );
  assert.equal(requests[1]?.headers.get("x-y"), "two words");
  assert.deepEqual(read(...STREAM.split("")).requests, requests);
  for (let at = 1; at < STREAM.length; at++)
    assert.deepEqual(read(STREAM.slice(0, at), STREAM.slice(at)).requests, requests);
});

test("a body above the limit is counted and not kept", () => {
  const [request] = read(`POST / HTTP/1.1\r\nContent-Length: 20\r\n\r\n${"x".repeat(20)}`).requests;
  assert.deepEqual([request?.bodyBytes, request?.body.length], [20, 0]);
});

test("what follows the last chunk is told, and bounded", () => {
  const head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  const [request] = read(`${head}Error-Type: A.B\r\nerror-body:  YQ== \r\n\r\n`).requests;
  assert.deepEqual(
    [...(request?.trailers ?? [])],
    [
      ["error-type", "A.B"],
      ["error-body", "YQ=="],
    ],
  );
  assert.equal(read(STREAM).requests[0]?.trailers.size, 0);
  assert.throws(() => read(`${head}no colon\r\n\r\n`), HttpError);
  assert.throws(() => read(`${head}${`a: ${"x".repeat(100_000)}\r\n`.repeat(11)}\r\n`), HttpError);
});

test("who takes a body as it comes gets all of it, and the request none", () => {
  const pieces: string[] = [];
  const requests: HttpRequest[] = [];
  const reader = new HttpRequestReader(bodyBytesMax, {
    request: (request) => requests.push(request),
    expectsContinue() {},
    begins: ({ path }) =>
      path === "/s" ? { data: (bytes) => void pieces.push(bytes.toString()) } : undefined,
  });
  const body = `14\r\n${"x".repeat(20)}\r\n2\r\nyz\r\n0\r\nA: b\r\n\r\n`;
  reader.push(
    Buffer.from(`POST /s HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${body}GET /a HTTP/1.1\r\n\r\n`),
  );
  assert.equal(pieces.join(""), `${"x".repeat(20)}yz`);
  assert.deepEqual(
    requests.map((each) => [each.path, each.body.length, each.bodyBytes, each.trailers.get("a")]),
    [
      ["/s", 0, 22, "b"],
      ["/a", 0, 0, undefined],
    ],
  );
});

test("a client that waits is told to go on", () => {
  const head = "POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n";
  assert.deepEqual([read(head).continues, read(head).requests.length], [1, 0]);
  assert.equal(read(head, "x").requests.length, 1);
});

test("what no runtime client sends is refused", () => {
  for (const bytes of [
    "GET / HTTP/2.0\r\n\r\n",
    "get / HTTP/1.1\r\n\r\n",
    "GET x HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nno colon\r\n\r\n",
    "GET / HTTP/1.1\r\nbad name: x\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
    "x".repeat(200_000),
  ])
    assert.throws(() => read(bytes), HttpError, bytes.slice(0, 60));
});
