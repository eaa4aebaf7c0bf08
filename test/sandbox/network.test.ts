/** What a function reaches, and what it does not. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createServer, connect } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { after, before, describe, test } from "node:test";
import { bench, networkMissing } from "./harness.ts";
import type { Bench } from "./harness.ts";
import { NEAR, PUBLIC, openOutside } from "./outside.ts";

/** Tries each `host:port` and prints what came of it. */
const PROBE = `import { connect } from "node:net";
for (const target of process.env.TARGETS.split(",")) {
  const [host, port] = target.split(":");
  console.log(await new Promise((done) => {
    const socket = connect({ host, port: Number(port), timeout: 3000 }, () => {});
    let text = "";
    socket.on("data", (data) => (text += data)).on("end", () => done(text || "connected"));
    socket.on("timeout", () => { done("timeout"); socket.destroy(); }).on("error", (error) => done(error.code));
  }));
}`;

describe("the network of a sandbox", { skip: networkMissing ?? false }, () => {
  let here: Bench;
  let open: Server;
  let closed: Server;
  const hostAddress = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === "IPv4" && !one.internal)?.address;
  before(async () => {
    open = createServer((socket) => socket.end("open")).listen(0, "127.0.0.1");
    closed = createServer((socket) => socket.end("closed")).listen(0, "0.0.0.0");
    await Promise.all([once(open, "listening"), once(closed, "listening")]);
    here = await bench("runc", { serverPorts: [port(open)], outbound: "internet" });
  });
  after(async () => {
    await here.close();
    open.close();
    closed.close();
  });

  const probe = async (targets: string[], options = {}) =>
    (await here.node(PROBE, { environment: { TARGETS: targets.join(",") }, ...options })).stdout
      .trim()
      .split("\n");

  test("leads to the server's own ports only, not to others of the host", async () => {
    const gateway = "169.254.100.1";
    const targets = [
      `${gateway}:${port(open)}`,
      `${gateway}:${port(closed)}`,
      `${gateway}:22`,
      `127.0.0.1:${port(open)}`,
    ];
    if (hostAddress) targets.push(`${hostAddress}:${port(closed)}`, `${hostAddress}:${port(open)}`);
    assert.deepEqual(await probe(targets), [
      "open",
      ...Array.from({ length: targets.length - 1 }, () => "ECONNREFUSED"),
    ]);
  });

  test("does not lead to the cloud's metadata", async () => {
    assert.deepEqual(await probe(["169.254.169.254:80", "169.254.170.2:80"]), [
      "ECONNREFUSED",
      "ECONNREFUSED",
    ]);
  });

  test("does not lead to another sandbox, though the server reaches both", async () => {
    const files = {
      "main.mjs": `import { createServer } from "node:net"; createServer((s) => s.end("mine")).listen(9000, "0.0.0.0", () => console.log("listening"))`,
    };
    const other = await here.start({ files });
    await other.says("listening");
    assert.deepEqual(await probe([`${other.sandbox.address}:9000`]), ["ECONNREFUSED"]);
    const socket = connect(9000, other.sandbox.address);
    const [data] = (await once(socket, "data")) as [Buffer];
    assert.equal(data.toString(), "mine");
    socket.destroy();
    await other.sandbox.stop(0);
  });

  test("gives each sandbox its own Runtime API at the same address", async () => {
    const seen: string[] = [];
    const one = async (name: string) => {
      let address = "";
      const { stdout } = await here.node(PROBE, {
        environment: (inside) => ({ TARGETS: (address = String(inside.runtimeApi)) }),
        onRuntimeApiConnection: (socket) => {
          seen.push(name);
          socket.end(name);
        },
      });
      assert.equal(stdout, `${name}\n`);
      return address;
    };
    const [first, second] = await Promise.all([one("first"), one("second")]);
    assert.equal(first, second);
    assert.deepEqual(seen.sort(), ["first", "second"]);
    // One without a Runtime API, and the host itself, are turned away.
    const [, apiPort = ""] = (first ?? "").split(":");
    const silent = (await here.node(PROBE, { environment: { TARGETS: first } })).stdout.trim();
    assert.match(silent, /^(connected|ECONNRESET|ECONNREFUSED)$/);
    const stranger = connect(Number(apiPort), "127.0.0.1");
    stranger.on("error", () => {});
    await once(stranger, "close");
    assert.deepEqual(seen.length, 2);
  });

  test("has an address and a name of its own, and no IPv6", async () => {
    const { stdout } =
      await here.node(`import { networkInterfaces, hostname } from "node:os"; import { lookup } from "node:dns/promises"; import { readFileSync } from "node:fs";
      console.log(Object.entries(networkInterfaces()).map(([name, all]) => name + ":" + all.map((one) => one.family).join()).sort().join(" "));
      console.log((await lookup(hostname())).address === (await lookup("sandbox.localdomain")).address, (await lookup("localhost")).address);
      console.log(readFileSync("/etc/resolv.conf", "utf8").includes("nameserver"));`);
    assert.equal(stdout, "eth0:IPv4 lo:IPv4\ntrue 127.0.0.1\ntrue\n");
  });

  test("leads outside when the server says so, and only then", async (t) => {
    const outside = await openOutside();
    t.after(() => outside.close());
    // The route to it was not there when `here` began.
    const allowed = await bench("runc", { outbound: "internet" });
    t.after(() => allowed.close());
    const refused = await bench("runc", { outbound: "none" });
    t.after(() => refused.close());
    const environment = { TARGETS: `${PUBLIC}:7000` };
    // It sees the host's address, since nobody outside knows a way back to a sandbox.
    assert.equal((await allowed.node(PROBE, { environment })).stdout, `hello ${NEAR}\n`);
    assert.equal((await refused.node(PROBE, { environment })).stdout, "ECONNREFUSED\n");
  });

  test("leaves the user's own tables alone", async () => {
    execFileSync("nft", ["add", "table", "ip", `users-own-${process.pid}`]);
    try {
      const second = await bench("runc", { outbound: "internet" });
      await second.close();
      assert.match(
        execFileSync("nft", ["list", "tables"], { encoding: "utf8" }),
        new RegExp(`users-own-${process.pid}`),
      );
    } finally {
      execFileSync("nft", ["delete", "table", "ip", `users-own-${process.pid}`]);
    }
    // The first server's rules stand after the second has gone.
    assert.deepEqual(await probe([`169.254.100.1:${port(open)}`]), ["open"]);
  });
});

function port(server: Server): number {
  return (server.address() as AddressInfo).port;
}
