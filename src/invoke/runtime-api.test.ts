/** The Runtime API by raw HTTP: bodies that break off, error documents with a cause, paths. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { after, test } from "node:test";
import { RuntimeApi } from "./runtime-api.ts";
import { SandboxApi } from "./sandbox-api.ts";

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

/** A Runtime API with one invocation delivered to a runtime that has asked for it; `heard` is what its listener was told. */
async function serve() {
  const heard: string[] = [];
  const runtime = new RuntimeApi({
    next: () => heard.push("next"),
    initError: (type, payload) => heard.push(`initError ${type} ${payload.toString()}`),
    answer: (payload, type) => heard.push(`answer ${payload.toString()} ${type ?? ""}`.trim()),
    answerTooLarge: (bytes) => heard.push(`tooLarge ${bytes}`),
    stream: () => assert.fail("nothing was streamed"),
    answerRefused: (type) => heard.push(`refused ${type}`),
    log() {},
  });
  const api = new SandboxApi([runtime]);
  const server = createServer((socket) => api.connect(socket));
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  /** Sends the bytes, ends its side, and resolves with all that came back. */
  const say = async (bytes: string) => {
    const socket = connect(port, "127.0.0.1").setEncoding("utf8");
    socket.end(bytes);
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  };
  const invoke = async () => {
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n");
    while (!heard.includes("next")) await new Promise(setImmediate);
    runtime.deliver({
      requestId: "id-1",
      deadline: 1,
      functionArn: "arn",
      traceHeader: "",
      clientContext: "",
      cognitoIdentity: "",
      payload: Buffer.from("{}"),
    });
    await once(socket, "data");
    socket.destroy();
    heard.length = 0;
  };
  return { heard, say, invoke, port };
}

const post = (path: string, headers: string, body: string) =>
  `POST /2018-06-01${path} HTTP/1.1\r\nConnection: close\r\n${headers}\r\n\r\n${body}`;

test("a response shorter than its Content-Length is refused as truncated, once, and is the function's failure", async () => {
  const { heard, say, invoke } = await serve();
  await invoke();
  const answer = await say(post("/runtime/invocation/id-1/response", "Content-Length: 10", "12345"));
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(
    answer,
    /\{"errorType":"TruncatedHTTPRequest","errorMessage":"HTTP request detected as truncated"\}$/,
  );
  assert.deepEqual(heard, ["refused Runtime.TruncatedResponse"]);
});

test("a chunked response whose connection breaks is truncated; what is said to another invocation's is not heard", async () => {
  const { heard, say, invoke, port } = await serve();
  await invoke();
  const wrong = await say(post("/runtime/invocation/other/response", "Content-Length: 10", "12345"));
  assert.equal(wrong, "");
  const socket = connect(port, "127.0.0.1");
  socket.write(post("/runtime/invocation/id-1/response", "Transfer-Encoding: chunked", "5\r\nhello\r\n"));
  await once(socket, "connect");
  setTimeout(() => socket.resetAndDestroy(), 50);
  while (heard.length === 0) await new Promise(setImmediate);
  assert.deepEqual(heard, ["refused Runtime.TruncatedResponse"]);
});

test("an error document with a cause reaches the caller without it", async () => {
  const { heard, say, invoke } = await serve();
  await invoke();
  const body = JSON.stringify({
    errorMessage: "m",
    errorType: "T",
    stackTrace: ["s"],
    errorCause: { paths: [] },
  });
  const headers = `Content-Type: application/vnd.aws.lambda.error.cause+json\r\nLambda-Runtime-Function-Error-Type: Function.T\r\nContent-Length: ${body.length}`;
  const answer = await say(post("/runtime/invocation/id-1/error", headers, body));
  assert.match(answer, /^HTTP\/1\.1 202 Accepted\r\n/);
  assert.deepEqual(heard, ['answer {"errorMessage":"m","errorType":"T","stackTrace":["s"]} Function.T']);
});

test("paths have their version, but ping, which needs none; methods are told apart", async () => {
  const { say } = await serve();
  const status = async (request: string) =>
    (await say(`${request} HTTP/1.1\r\nConnection: close\r\n\r\n`)).slice(9, 12);
  assert.equal(await status("GET /ping"), "200");
  assert.equal(await status("GET /2018-06-01/ping"), "200");
  assert.equal(await status("GET /runtime/invocation/next"), "404");
  assert.equal(await status("PUT /2018-06-01/runtime/init/error"), "405");
  assert.equal(await status("GET /2018-06-01/runtime/invocation/x/response"), "405");
  assert.equal(await status("POST /2018-06-01/runtime/invocation/x/other"), "404");
});

test("states are named in the refusals", async () => {
  const { say, invoke, heard } = await serve();
  const error = async (request: string) => JSON.parse((await say(request)).split("\r\n\r\n")[1] ?? "");
  assert.equal(
    (await error(post("/runtime/invocation/id-1/response", "Content-Length: 0", ""))).errorType,
    "InvalidRequestID",
  );
  await invoke();
  await say(post("/runtime/invocation/id-1/response", "Content-Length: 1", "1"));
  assert.deepEqual(await error(post("/runtime/invocation/id-1/response", "Content-Length: 1", "2")), {
    errorType: "InvalidStateTransition",
    errorMessage:
      "State transition from ResponseSent to InvocationResponse failed for runtime. Error: State transition is not allowed",
  });
  assert.deepEqual(heard, ["answer 1"]);
});
