/** What a function may make the server hold through the APIs of its sandbox. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { runtimeApiConnectionsMax } from "./limits.ts";
import { RuntimeApi } from "./runtime-api.ts";
import { SandboxApi } from "./sandbox-api.ts";

const PING = Buffer.from("GET /ping HTTP/1.1\r\n\r\n");
const PONG_BYTES = Buffer.byteLength(
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\n\r\npong",
);
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

/** An API that listens, and the server's ends of its connections. */
async function serve() {
  const api = new SandboxApi([new RuntimeApi(undefined)]);
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket);
    api.connect(socket);
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return { api, accepted, open: () => connect(port, "127.0.0.1") };
}

test("a client that asks without reading the answers is not read either until it does", async () => {
  const { api, accepted, open } = await serve();
  const client = open();
  await once(client, "connect");
  let asked = 0;
  const many = Buffer.concat(Array.from({ length: 2_000 }, () => PING));
  while (!accepted[0]?.isPaused()) {
    assert.ok(asked < 2_000_000, "it goes on reading");
    client.write(many);
    asked += 2_000;
    await sleep(1);
  }
  let bytes = 0;
  for await (const chunk of client) {
    bytes += (chunk as Buffer).length;
    if (bytes >= asked * PONG_BYTES) break;
  }
  assert.equal(bytes, asked * PONG_BYTES);
  api.close();
});

test("one environment has a bounded number of connections at once", async () => {
  const { api, open } = await serve();
  const clients = Array.from({ length: runtimeApiConnectionsMax }, open);
  for (const client of clients) client.write(PING);
  await Promise.all(clients.map((client) => once(client, "data")));
  const refused = open();
  await once(refused.resume(), "close");
  assert.equal(refused.bytesRead, 0);
  clients[0]?.destroy();
  for (;;) {
    const next = open().on("error", () => {});
    next.write(PING);
    const [said] = await Promise.race([once(next, "data"), once(next, "close")]);
    if (Buffer.isBuffer(said)) break;
  }
  api.close();
});
