/** What a function reaches under each outbound policy; what is refused is refused at once. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseDestinations } from "../../src/config/outbound.ts";
import type { OutboundPolicy } from "../../src/config/outbound.ts";
import { bench, networkMissing, python } from "./harness.ts";
import { NEAR, OTHER, PRIVATE, PUBLIC, openOutside } from "./outside.ts";
import type { Outside } from "./outside.ts";
import { probe } from "./probe.ts";

describe("outbound policies", { skip: networkMissing ?? false }, () => {
  let outside: Outside;
  let hostPort: Server;
  let port = 0;
  before(async () => {
    outside = await openOutside();
    hostPort = createServer((socket) => socket.end("the host's")).listen(0, "0.0.0.0");
    await once(hostPort, "listening");
    port = (hostPort.address() as AddressInfo).port;
  });
  after(async () => {
    hostPort.close();
    await outside.close();
  });
  const open = (outbound: OutboundPolicy, allow = "") =>
    bench("runc", { outbound, outboundAllow: parseDestinations(allow), resolvers: [PUBLIC] });

  test("internet: public addresses, no private ones, no metadata, nothing of the host, no IPv6", async (t) => {
    const here = await open("internet");
    t.after(() => here.close());
    const own = Object.values(networkInterfaces())
      .flat()
      .flatMap((one) => (one?.family === "IPv4" ? [`tcp:${one.address}:${port}`] : []));
    assert.ok(own.includes(`tcp:${NEAR}:${port}`), "the test means every interface of the host");
    assert.deepEqual(
      await probe(here, [
        `tcp:${PUBLIC}:7000`,
        `udp:${PUBLIC}:7000`,
        `tcp:${OTHER}:7001`,
        "name:api.test",
        "name:database.test",
      ]),
      [`hello ${NEAR}`, `hello ${NEAR}`, `hello ${NEAR}`, PUBLIC, PRIVATE],
    );
    const refused = [
      `tcp:${PRIVATE}:7000`,
      "tcp:10.1.2.3:5432",
      "tcp:169.254.169.254:80",
      "tcp:169.254.170.2:80",
      "tcp:168.63.129.16:80",
      "tcp:100.100.100.200:80",
      "tcp:192.0.0.192:80",
      ...own,
    ];
    assert.deepEqual(
      await probe(here, refused),
      refused.map(() => "ECONNREFUSED"),
    );
    assert.match((await probe(here, [`udp:${PRIVATE}:7000`]))[0] ?? "", /^refused E/);
    const ipv6 = await probe(here, [
      "tcp:2001:db8::1:80",
      "tcp:fd00:ec2::254:80",
      "tcp:::ffff:169.254.169.254:80",
    ]);
    for (const word of ipv6.slice(0, 2)) assert.match(word, /^(ENETUNREACH|EADDRNOTAVAIL|EHOSTUNREACH)$/);
    assert.equal(ipv6[2], "ECONNREFUSED");
  });

  test("internet with a list: what is listed too, on the listed ports", async (t) => {
    const here = await open("internet", `${PRIVATE}/32:7000,database.test:7001`);
    t.after(() => here.close());
    assert.deepEqual(
      await probe(here, [
        `tcp:${PUBLIC}:7000`,
        `tcp:${PRIVATE}:7000`,
        `tcp:${PRIVATE}:7001`,
        "tcp:database.test:7001",
        "name:api.test",
        "tcp:10.1.2.3:7000",
      ]),
      [`hello ${NEAR}`, `hello ${NEAR}`, "ECONNREFUSED", `hello ${NEAR}`, PUBLIC, "ECONNREFUSED"],
    );
  });

  test("none: nothing, and no names", async (t) => {
    const here = await open("none");
    t.after(() => here.close());
    const before = outside.said();
    const answers = await probe(here, [
      `tcp:${PUBLIC}:7000`,
      `tcp:${PRIVATE}:7000`,
      `tcp:${PUBLIC}:53`,
      "name:api.test",
    ]);
    assert.deepEqual(answers, ["ECONNREFUSED", "ECONNREFUSED", "ECONNREFUSED", "ECONNREFUSED"]);
    assert.match((await probe(here, [`udp:${PUBLIC}:53`]))[0] ?? "", /^refused E/);
    assert.equal(outside.said(), before);
  });

  test("allow-list with ranges: those and nothing else, and no names", async (t) => {
    const here = await open("allow-list", `${PRIVATE}:7000-7001,172.31.0.0/16:9`);
    t.after(() => here.close());
    assert.deepEqual(
      await probe(here, [
        `tcp:${PRIVATE}:7000`,
        `tcp:${PRIVATE}:7001`,
        `udp:${PRIVATE}:7000`,
        `tcp:${PRIVATE}:53`,
        `tcp:${PUBLIC}:7000`,
        "tcp:169.254.169.254:80",
        "name:api.test",
      ]),
      [
        ...Array.from({ length: 3 }, () => `hello ${NEAR}`),
        ...Array.from({ length: 4 }, () => "ECONNREFUSED"),
      ],
    );
  });

  test("allow-list with names: the addresses they are answered with, for who asked, and no other name", async (t) => {
    const here = await open("allow-list", "API.test:7000,*.wild.test,evil.test");
    t.after(() => here.close());
    const before = outside.said().length;
    assert.deepEqual(
      await probe(here, [
        `tcp:${PUBLIC}:7000`,
        "tcp:api.test:7000",
        `tcp:${PUBLIC}:7000`,
        `udp:${PUBLIC}:7000`,
        `tcp:${PUBLIC}:7001`,
        "tcp:a.wild.test:7001",
        "name:wild.test",
        "name:database.test",
        "name:evil.test",
        "tcp:169.254.169.254:80",
        `tcp:${PUBLIC}:53`,
      ]),
      [
        "ECONNREFUSED",
        `hello ${NEAR}`,
        `hello ${NEAR}`,
        `hello ${NEAR}`,
        "ECONNREFUSED",
        `hello ${NEAR}`,
        "EREFUSED",
        "EREFUSED",
        "169.254.169.254",
        "ECONNREFUSED",
        "ECONNREFUSED",
      ],
    );
    assert.doesNotMatch(
      outside.said().slice(before),
      /asked (wild|database)\.test/,
      "a question is a way out",
    );
    assert.deepEqual(
      await probe(here, [`tcp:${PUBLIC}:7000`]),
      ["ECONNREFUSED"],
      "another sandbox has not asked",
    );
  });

  test("names are answered over TCP too", { skip: typeof python === "string" && python }, async (t) => {
    const here = await open("allow-list", "api.test");
    t.after(() => here.close());
    const { stdout, stderr } = await here.python(`import socket, struct
def ask(name):
    question = b"\\x12\\x34\\x01\\x00\\x00\\x01" + bytes(6) + b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\\x00\\x00\\x01\\x00\\x01"
    s = socket.create_connection(("169.254.100.1", 53), 4)
    for byte in struct.pack(">H", len(question)) + question: s.send(bytes([byte]))
    length = struct.unpack(">H", s.recv(2))[0]
    answer = s.recv(length)
    return answer[3] & 15, answer[-4:] if answer[7] else b""
print(ask("api.test")[0], socket.inet_ntoa(ask("api.test")[1]), ask("database.test"))
print(socket.create_connection(("${PUBLIC}", 7001), 4).recv(99).decode())`);
    assert.deepEqual([stdout, stderr], [`0 ${PUBLIC} (5, b'')\nhello ${NEAR}\n`, ""]);
  });

  test("a name server on the host's loopback is asked through the gateway", async (t) => {
    const local = `127.0.53.${(process.pid % 250) + 1}`;
    const server = createSocket("udp4");
    server.on("message", (query, from) => {
      const answer = Buffer.concat([
        query,
        Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 9]),
      ]);
      answer.writeUInt16BE(0x8180, 2);
      answer.writeUInt16BE(1, 6);
      server.send(answer, from.port, from.address);
    });
    server.bind(53, local);
    await once(server, "listening");
    t.after(() => server.close());
    const here = await bench("runc", { outbound: "internet", resolvers: [local] });
    t.after(() => here.close());
    assert.deepEqual(await probe(here, ["name:anything.test", `tcp:${local}:53`]), [
      "192.0.2.9",
      "ECONNREFUSED",
    ]);
  });

  test("a flood of connections ends in the slot and leaves the host's table of connections to others", async (t) => {
    const here = await open("internet");
    t.after(() => here.close());
    // One datagram to each of many ports: an entry of the table for each that gets through.
    const flood = `import { createSocket } from "node:dgram";
      const socket = createSocket("udp4"); socket.on("error", () => {});
      let through = 0, refused = 0;
      for (let port = 10000; port < 20000; port += 100)
        await Promise.all(Array.from({ length: 100 }, (_, n) => new Promise((done) => socket.send("x", port + n, "${OTHER}", (error) => { error ? refused++ : through++; done(); }))));
      console.log(JSON.stringify({ through, refused })); process.exit(0);`;
    const { stdout } = await here.node(flood);
    const { through, refused } = JSON.parse(stdout) as { through: number; refused: number };
    assert.equal(through + refused, 10_000);
    assert.ok(through >= 2_000 && through <= 4_096, `${through} got through`);
    assert.deepEqual(await probe(here, [`tcp:${PUBLIC}:7000`]), [`hello ${NEAR}`]);
  });

  test("a sandbox cannot change its rules, and an address that is not its own leads nowhere", async (t) => {
    const here = await open("internet");
    t.after(() => here.close());
    if (typeof python !== "string") {
      const { stdout } = await here.python(`import socket
for family, kind, protocol in ((socket.AF_NETLINK, socket.SOCK_RAW, 12), (socket.AF_INET, socket.SOCK_RAW, 255), (socket.AF_PACKET, socket.SOCK_RAW, 0)):
    try: socket.socket(family, kind, protocol); print("open")
    except OSError as error: print(error.strerror)`);
      assert.match(stdout, /^((Operation not permitted|Function not implemented)\n){3}$/);
    }
    const { sandbox, says } = await here.start({
      files: { "main.mjs": `console.log("up"); setInterval(() => {}, 1000)` },
    });
    await says("up");
    const instance = readFileSync(join(here.folder, "state", "instance"), "utf8");
    const namespace = readdirSync("/run/netns").find(
      (name) => name.includes(instance) && run("ip", "-n", name, "addr").includes(`${sandbox.address}/`),
    );
    // As root in the sandbox's network: more than a function can do.
    const inside = (...args: string[]) => run("nsenter", `--net=/run/netns/${namespace}`, ...args);
    run("ip", "-n", String(namespace), "addr", "add", "10.9.9.9/32", "dev", "eth0");
    const send = (from: string) =>
      inside(
        process.execPath,
        "-e",
        `const s = require("dgram").createSocket("udp4"); s.bind(0, "${from}", () => s.send("x", 7000, "${PUBLIC}", () => s.close()))`,
      );
    const arrives = async (from: string) => {
      const before = outside.said().length;
      try {
        send(from);
      } catch {
        // A refusal may be told to the sender.
      }
      await probe(here, [`udp:${OTHER}:7000`]);
      return (outside.said().slice(before).match(/udp/g) ?? []).length - 1;
    };
    assert.equal(await arrives(sandbox.address), 1);
    assert.equal(await arrives("10.9.9.9"), 0, "by the slot's rules");
    inside("nft", "delete", "table", "inet", "lambent");
    assert.equal(await arrives(sandbox.address), 1);
    assert.equal(await arrives("10.9.9.9"), 0, "by the host, whatever happens in the slot");
    const peek = inside(
      process.execPath,
      "-e",
      `require("net").connect(${port}, "${NEAR}").on("error", (e) => console.log(e.code)).on("data", String)`,
    );
    assert.equal(peek.trim(), "ECONNREFUSED", "the host's ports by the host's rules");
    await sandbox.stop(0);
  });

  test("the host's table is the same for no sandbox and for twelve", async (t) => {
    const here = await open("internet", `${PRIVATE}:7000`);
    t.after(() => here.close());
    const instance = readFileSync(join(here.folder, "state", "instance"), "utf8");
    const table = () => run("nft", "list", "table", "ip", `lambent-${instance}`);
    const before = table();
    const files = { "main.mjs": `console.log("up"); setInterval(() => {}, 1000)` };
    const many = await Promise.all(Array.from({ length: 12 }, () => here.start({ files })));
    assert.equal(new Set(many.map((one) => one.sandbox.address)).size, 12);
    assert.equal(table(), before);
    await Promise.all(many.map((one) => one.sandbox.stop(0)));
  });
});

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
