/** The listener: both HTTP versions on one port, and a close that finishes what runs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { listen } from "../../src/server/listen.ts";

const WORK_MS = 100;

const handler = {
  handle(request: IncomingMessage, response: ServerResponse): void {
    const text = `HTTP/${request.httpVersion} ${request.method} ${request.url}`;
    if (request.url === "/never") return;
    if (request.url === "/slow") setTimeout(() => response.end(text), WORK_MS);
    else response.end(text);
  },
};

const start = () => listen(handler, { host: "127.0.0.1", port: 0 });

async function overHttp2(port: number, path: string): Promise<string> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const stream = session.request({ ":path": path });
  stream.setEncoding("utf8");
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  session.close();
  return text;
}

test("HTTP/1.1 and HTTP/2 with prior knowledge share the port", async () => {
  const listener = await start();
  assert.equal(await (await fetch(`${listener.endpoint}/a`)).text(), "HTTP/1.1 GET /a");
  assert.equal(await overHttp2(listener.port, "/b"), "HTTP/2.0 GET /b");
  await listener.close(1_000);
});

test("the first bytes may come one by one, for both versions", async () => {
  const listener = await start();
  for (const [bytes, expected] of [
    ["POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 200 OK/],
    ["PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 200 OK/],
  ] as const) {
    const socket = connect(listener.port, "127.0.0.1");
    for (const byte of bytes) {
      socket.write(byte);
      await delay(1);
    }
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    assert.match(text, expected);
  }
  const preface = connect(listener.port, "127.0.0.1");
  for (const byte of "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") {
    preface.write(byte);
    await delay(1);
  }
  preface.write(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0));
  const [frame] = (await once(preface, "data")) as [Buffer];
  assert.equal(frame[3], 4, "an HTTP/2 server begins with a SETTINGS frame");
  preface.destroy();
  await listener.close(1_000);
});

test("close finishes what runs, on both versions, and closes idle and silent connections", async () => {
  const listener = await start();
  const silent = connect(listener.port, "127.0.0.1");
  await once(silent, "connect");
  const idle = connect(listener.port, "127.0.0.1");
  idle.write("GET /idle HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(idle, "data");
  const running = fetch(`${listener.endpoint}/slow`).then((response) => response.text());
  const running2 = overHttp2(listener.port, "/slow");
  await delay(WORK_MS / 2);
  const closed = listener.close(10_000);
  assert.equal(await running, "HTTP/1.1 GET /slow");
  assert.equal(await running2, "HTTP/2.0 GET /slow");
  await closed;
  await assert.rejects(fetch(`${listener.endpoint}/late`));
  silent.destroy();
  idle.destroy();
});

test("close cuts what is not finished when the grace is over", async () => {
  const listener = await start();
  const request = get(`${listener.endpoint}/never`);
  const cut = once(request, "error");
  await delay(20);
  await listener.close(50);
  const [error] = (await cut) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");
});

test("a port that is taken is an error that names it", async () => {
  const listener = await start();
  await assert.rejects(listen(handler, { host: "127.0.0.1", port: listener.port }), { code: "EADDRINUSE" });
  await listener.close(0);
});
