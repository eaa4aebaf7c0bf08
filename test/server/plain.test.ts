/** Plain requests of HTTP/1.1, and the way of a connection to node:http when one is not plain. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallerPresence, RequestHead, WireResponse } from "../../src/aws/index.ts";
import { listen } from "../../src/server/listen.ts";

/** Answers that the test gives by the request's path, and what was seen. */
function door(answers: Record<string, () => Promise<WireResponse> | WireResponse>) {
  const seen: string[] = [];
  const callers: CallerPresence[] = [];
  const errors: unknown[] = [];
  return {
    seen,
    callers,
    errors,
    handle(request: IncomingMessage, response: ServerResponse) {
      seen.push(`node ${request.method} ${request.url}`);
      request.resume();
      request.once("end", () => response.end("by node"));
    },
    answer(head: RequestHead, body: Buffer, caller: CallerPresence) {
      const answer = answers[head.url];
      if (!answer) return undefined;
      seen.push(`plain ${head.method} ${head.url} ${body.toString()}`);
      callers.push(caller);
      const onStreamError = (error: unknown) => errors.push(error);
      return Promise.resolve(answer()).then((response) => ({ response, onStreamError }));
    },
  };
}

const text = (body: string): WireResponse => ({
  status: 200,
  headers: { "content-type": "text/plain" },
  body,
});

async function open(port: number): Promise<Socket & { heard: string }> {
  const socket = Object.assign(connect(port, "127.0.0.1"), { heard: "" });
  socket.on("data", (chunk) => (socket.heard += chunk.toString("latin1")));
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition() && tries < 500; tries++) await delay(10);
  assert.ok(condition());
}

const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

test("requests on one connection are answered in order, however their bytes are cut", async () => {
  const answers = door({ "/a": () => delay(20).then(() => text("A")), "/b": () => text("B") });
  const listener = await listen(answers, { host: "127.0.0.1", port: 0 });
  const socket = await open(listener.port);
  socket.write(post("/a", "one") + post("/b", "two"));
  await until(() => socket.heard.includes("\r\n\r\nB"));
  socket.write(post("/b", "three").slice(0, -2));
  await delay(20);
  socket.write("ee");
  await until(() => socket.heard.split("\r\n\r\nB").length === 3);
  assert.deepEqual(answers.seen, ["plain POST /a one", "plain POST /b two", "plain POST /b three"]);
  assert.match(
    socket.heard,
    /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/plain\r\ncontent-length: 1\r\ndate: .+ GMT\r\nconnection: keep-alive\r\nkeep-alive: timeout=60\r\n\r\nAHTTP/,
  );
  await listener.close(1_000);
});

test("a request that is not plain takes its connection to node:http, where it stays", async () => {
  const answers = door({ "/a": () => text("A") });
  const listener = await listen(answers, { host: "127.0.0.1", port: 0 });
  const socket = await open(listener.port);
  socket.write(post("/a", "1"));
  await until(() => socket.heard.endsWith("A"));
  socket.write("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n");
  await until(() => socket.heard.includes("by node"));
  socket.write(post("/a", "2"));
  await until(() => socket.heard.split("by node").length === 3);
  assert.deepEqual(answers.seen, ["plain POST /a 1", "node POST /a", "node POST /a"]);
  await listener.close(1_000);
});

test("streamed bodies are sent in chunks or by their length, and broken ones cut the connection", async () => {
  async function* parts() {
    yield Buffer.from("ab");
    yield Buffer.alloc(0);
    yield Buffer.from("cd");
  }
  async function* broken() {
    yield Buffer.from("ab");
    throw new Error("the disk is gone");
  }
  const answers = door({
    "/chunks": () => ({ status: 200, headers: {}, body: parts() }),
    "/length": () => ({ status: 206, headers: { "content-length": "4" }, body: parts() }),
    "/broken": () => ({ status: 200, headers: {}, body: broken() }),
  });
  const listener = await listen(answers, { host: "127.0.0.1", port: 0 });
  const socket = await open(listener.port);
  socket.write(post("/chunks", ""));
  await until(() => socket.heard.endsWith("\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"));
  socket.write(post("/length", ""));
  await until(() => socket.heard.endsWith("\r\n\r\nabcd"));
  const closed = once(socket, "close");
  socket.write(post("/broken", ""));
  await closed;
  assert.ok(socket.heard.endsWith("2\r\nab\r\n"));
  assert.match(String(answers.errors[0]), /the disk is gone/);
  await listener.close(1_000);
});

test("a caller that leaves is noticed, also one that was to be sent a long body", async () => {
  const reader = { isWanted: true, sent: 0 };
  async function* endless() {
    for (; reader.isWanted; reader.sent++) yield Buffer.alloc(65_536);
  }
  const answers = door({
    "/never": () => new Promise(() => {}),
    "/endless": () => ({ status: 200, headers: {}, body: endless() }),
  });
  const listener = await listen(answers, { host: "127.0.0.1", port: 0 });
  const one = await open(listener.port);
  one.write(post("/never", ""));
  await until(() => answers.callers.length === 1);
  one.destroy();
  await until(() => answers.callers[0]?.hasLeft === true);
  assert.equal(answers.callers[0]?.signal.aborted, true);
  const other = await open(listener.port);
  other.pause();
  other.write(post("/endless", ""));
  await until(() => reader.sent > 0);
  await delay(100);
  const held = reader.sent;
  await delay(100);
  assert.equal(reader.sent, held, "a caller that does not read is not written to");
  other.destroy();
  await until(() => answers.callers[1]?.hasLeft === true);
  reader.isWanted = false;
  await listener.close(1_000);
});

test("close waits for what is being answered and cuts those that rest", async () => {
  const answers = door({ "/slow": () => delay(100).then(() => text("done")), "/a": () => text("A") });
  const listener = await listen(answers, { host: "127.0.0.1", port: 0 });
  const resting = await open(listener.port);
  resting.write(post("/a", ""));
  await until(() => resting.heard.endsWith("A"));
  const busy = await open(listener.port);
  busy.write(post("/slow", ""));
  await until(() => answers.seen.length === 2);
  await listener.close(5_000);
  assert.ok(busy.heard.endsWith("done"));
});
