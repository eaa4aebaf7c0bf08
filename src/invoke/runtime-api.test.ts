/** The Runtime API by raw HTTP: bodies that break off, error documents with a cause, paths. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { after, test } from "node:test";
import { answerWindowBytes, weightOf } from "./answer-stream.ts";
import type { AnswerSource } from "./answer-stream.ts";
import { RuntimeApi } from "./runtime-api.ts";
import { SandboxApi } from "./sandbox-api.ts";

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

/** A Runtime API with one invocation delivered to a runtime that has asked for it; `heard` is what its listener was told. */
async function serve(snapStart?: "to be saved" | "restored") {
  const heard: string[] = [];
  const sources: AnswerSource[] = [];
  const written: Buffer[] = [];
  const accepted: Socket[] = [];
  const runtime = new RuntimeApi(
    {
      next: () => heard.push("next"),
      initError: (type, payload) => heard.push(`initError ${type} ${payload.toString()}`),
      answer: (payload, type) => heard.push(`answer ${payload.toString()} ${type ?? ""}`.trim()),
      answerTooLarge: (bytes) => heard.push(`tooLarge ${bytes}`),
      stream: (contentType, source) => {
        heard.push(`stream ${contentType}`);
        sources.push(source);
        return {
          write: (bytes) => {
            heard.push(`write ${bytes.length}`);
            written.push(bytes);
          },
          end: (failure) =>
            heard.push(failure ? `fail ${failure.errorType} ${failure.payload.toString()}` : "end"),
          refuse: (errorType) => heard.push(`refuse ${errorType}`),
        };
      },
      answerRefused: (type) => heard.push(`refused ${type}`),
      log() {},
    },
    snapStart,
  );
  const api = new SandboxApi([runtime]);
  const server = createServer((socket) => {
    accepted.push(socket);
    api.connect(socket);
  });
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
  return { heard, say, invoke, port, sources, written, accepted };
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

const STREAMING = "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked";
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

test("a streamed response is heard as it comes, and answered when the caller has it", async () => {
  const { heard, invoke, port, sources } = await serve();
  await invoke();
  const socket = connect(port, "127.0.0.1").setEncoding("utf8");
  socket.write(post("/runtime/invocation/id-1/response", `Content-Type: a/b\r\n${STREAMING}`, chunk("one")));
  while (heard.length < 2) await new Promise(setImmediate);
  assert.deepEqual(heard, ["stream a/b", "write 3"]);
  socket.write(`${chunk("four")}0\r\n\r\n`);
  while (!heard.includes("end")) await new Promise(setImmediate);
  assert.equal(socket.bytesRead, 0);
  sources[0]?.ended(false);
  const [answer] = (await once(socket, "data")) as [string];
  assert.match(answer, /^HTTP\/1\.1 202 Accepted\r\n/);
  assert.deepEqual(heard.slice(2), ["write 4", "end"]);
});

test("a streamed response may fail in its trailers, break off, or be too large", async () => {
  const body = Buffer.from('{"errorType":"Mid"}').toString("base64");
  const trailers = `Lambda-Runtime-Function-Error-Type: Function.Mid\r\nLambda-Runtime-Function-Error-Body: ${body}\r\n`;
  const failed = await serve();
  await failed.invoke();
  const running = failed.say(
    post("/runtime/invocation/id-1/response", STREAMING, `${chunk("x")}0\r\n${trailers}\r\n`),
  );
  while (failed.heard.length < 3) await new Promise(setImmediate);
  assert.deepEqual(failed.heard, [
    "stream application/octet-stream",
    "write 1",
    'fail Function.Mid {"errorType":"Mid"}',
  ]);
  failed.sources[0]?.ended(true);
  assert.match(await running, /^HTTP\/1\.1 413 [^]*"RequestEntityTooLarge"/);
  const broken = await serve();
  await broken.invoke();
  const answer = await broken.say(post("/runtime/invocation/id-1/response", STREAMING, "5\r\nxy"));
  assert.match(answer, /^HTTP\/1\.1 400 [^]*"TruncatedHTTPRequest"/);
  assert.deepEqual(broken.heard.slice(1), ["write 2", "refuse Runtime.TruncatedResponse"]);
});

test("another response mode than streaming is refused by name, and a streamed response to nothing is not heard", async () => {
  const { heard, say, invoke } = await serve();
  await invoke();
  const stale = await say(post("/runtime/invocation/other/response", STREAMING, `${chunk("x")}0\r\n\r\n`));
  assert.match(stale, /^HTTP\/1\.1 400 [^]*"InvalidRequestID"/);
  const mode = "Lambda-Runtime-Function-Response-Mode: Streaming\r\nContent-Length: 1";
  const wrong = await say(post("/runtime/invocation/id-1/response", mode, "x"));
  assert.match(wrong, /^HTTP\/1\.1 400 [^]*"InvalidFunctionResponseMode"/);
  assert.deepEqual(heard, ["refused Runtime.InvalidResponseModeHeader"]);
});

test("a runtime whose caller is slow is not read until the caller has taken something", async () => {
  const { heard, invoke, port, sources, written, accepted } = await serve();
  await invoke();
  const socket = connect(port, "127.0.0.1");
  socket.write(post("/runtime/invocation/id-1/response", STREAMING, ""));
  const piece = chunk("x".repeat(16_384));
  for (let pieces = 0; pieces < 1_000; pieces++) socket.write(piece);
  socket.write("0\r\n\r\n");
  while (heard.length === 0) await new Promise(setImmediate);
  const end = accepted.at(-1);
  while (!end?.isPaused()) await new Promise(setImmediate);
  const held = written.reduce((sum, bytes) => sum + weightOf(bytes), 0);
  assert.ok(held < answerWindowBytes + 200_000, `${held} bytes are held`);
  while (!heard.includes("end")) {
    for (const bytes of written.splice(0)) sources[0]?.taken(weightOf(bytes));
    await new Promise(setImmediate);
  }
  sources[0]?.ended(false);
  await once(socket, "data");
  socket.destroy();
});

const restoreNext = (headers = "Connection: close\r\n") =>
  `GET /2018-06-01/runtime/restore/next HTTP/1.1\r\n${headers}\r\n`;

test("restore/next before a snapshot ends the init phase, on a connection that ends; after it, the next invocation may follow", async () => {
  const saved = await serve("to be saved");
  assert.match(await saved.say(restoreNext("")), /^HTTP\/1\.1 501 .*executable of \.NET/s);
  assert.match(await saved.say(restoreNext()), /^HTTP\/1\.1 200 OK/);
  assert.match(await saved.say(restoreNext()), /^HTTP\/1\.1 403 /);
  assert.deepEqual(saved.heard, ["next"]);

  const restored = await serve("restored");
  assert.match(await restored.say(restoreNext("")), /^HTTP\/1\.1 200 OK/);
  assert.deepEqual(restored.heard, []);
  await restored.invoke();
});

test("restore/error is the restored runtime's failure; without SnapStart there is neither", async () => {
  const restored = await serve("restored");
  const error = post(
    "/runtime/restore/error",
    "Lambda-Runtime-Function-Error-Type: Runtime.AfterRestoreError\r\nContent-Length: 2",
    "{}",
  );
  assert.match(await restored.say(error), /^HTTP\/1\.1 202 /);
  assert.deepEqual(restored.heard, ["initError Runtime.AfterRestoreError {}"]);

  const plain = await serve();
  for (const request of [restoreNext(), error])
    assert.match(await plain.say(request), /^HTTP\/1\.1 501 .*SnapStart is for managed runtimes/s);
  assert.deepEqual(plain.heard, []);
});
