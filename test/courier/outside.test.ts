/** What the server calls on behalf of others: it looks at the address that it connects to, and follows nobody elsewhere. */
import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { after, before, test } from "node:test";
import { createHttpCaller, createReach } from "../../src/courier/index.ts";
import { systemClock } from "../../src/kit/clock.ts";

const got: { readonly url: string | undefined; readonly headers: NodeJS.Dict<string | string[]> }[] = [];
const endpoint = createServer((request, response) => {
  got.push({ url: request.url, headers: request.headers });
  request.resume();
  if (request.url === "/slow") return;
  if (request.url === "/moved") response.writeHead(302, { location: "/elsewhere" });
  response.end("answer");
});
let port = 0;
before(async () => {
  endpoint.listen(0, "::");
  await once(endpoint, "listening");
  ({ port } = endpoint.address() as AddressInfo);
});
after(() => {
  endpoint.closeAllConnections();
  endpoint.close();
});

function callerWith(localEndpoints: boolean, serverPort = 1) {
  const outbound = { policy: "internet", allow: [] } as const;
  return createHttpCaller({
    clock: systemClock,
    reach: createReach({ outbound, localEndpoints, serverPort }),
  });
}

const call = (caller: ReturnType<typeof callerWith>, url: string, headers = {}, timeoutMs = 5_000) =>
  caller.call({ url, method: "POST", headers, body: Buffer.from("body"), timeoutMs });

test("a name is refused for where it leads to, when it is called; so is an address however it is written", async () => {
  const caller = callerWith(false);
  const names = [`http://${hostname()}:${port}/`];
  const { address } = await lookup(hostname());
  for (const url of names) {
    assert.equal(caller.fault(url), undefined);
    await assert.rejects(call(caller, url), { message: new RegExp(`^${hostname()}: ${address} is on this`) });
  }
  for (const host of [
    "localhost",
    "a.LOCALHOST",
    "127.1",
    "0x7f000001",
    "2130706433",
    "[::1]",
    "[::ffff:7f00:1]",
  ]) {
    assert.match(caller.fault(`http://${host}:${port}/`) ?? "", /on this machine/, host);
    await assert.rejects(call(caller, `http://${host}:${port}/`), /on this machine/, host);
  }
  assert.deepEqual(got.splice(0), []);
  caller.close();
});

test("local endpoints are called where they may be; the server's own port always, but for its own paths and those of runtimes", async () => {
  const local = callerWith(true);
  const usual = callerWith(false, port);
  for (const url of [`http://localhost:${port}/a`, `http://${hostname()}:${port}/b`])
    assert.equal((await call(local, url)).body.toString(), "answer");
  assert.equal((await call(usual, `http://x.lambda-url.us-east-1.localhost:${port}/c`)).status, 200);
  assert.deepEqual(
    got.splice(0).map(({ url, headers }) => [url, headers["host"]]),
    [
      ["/a", `localhost:${port}`],
      ["/b", `${hostname().toLowerCase()}:${port}`],
      ["/c", `x.lambda-url.us-east-1.localhost:${port}`],
    ],
  );
  for (const path of ["/_lambent/clock", "/2018-06-01/runtime/init/error", "/2020-01-01/extension/register"])
    for (const caller of [local, usual])
      await assert.rejects(call(caller, `http://localhost:${port}/x/..${path}`), /own API$/, path);
  assert.deepEqual(got, []);
  local.close();
  usual.close();
});

test("redirects are told and not followed, nobody else says how a request ends, and answers have a time", async () => {
  const caller = callerWith(true);
  const base = `http://127.0.0.1:${port}`;
  assert.equal((await call(caller, `${base}/moved`)).status, 302);
  const smuggled = { "Transfer-Encoding": "chunked", "content-length": "1", Host: "evil", "x-own": "kept" };
  await call(caller, `${base}/plain`, smuggled);
  await assert.rejects(call(caller, `${base}/slow`, {}, 100), { message: "no answer within 100 ms" });
  await assert.rejects(call(caller, `${base}/plain`, { "x-bad": "a\r\nb: c" }), /Invalid character/);
  assert.deepEqual(
    got
      .splice(0)
      .map(({ url, headers }) => [url, headers["content-length"], headers["x-own"], headers["host"]]),
    [
      ["/moved", "4", undefined, `127.0.0.1:${port}`],
      ["/plain", "4", "kept", `127.0.0.1:${port}`],
      ["/slow", "4", undefined, `127.0.0.1:${port}`],
    ],
  );
  caller.close();
});
