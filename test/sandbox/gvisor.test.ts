/** What a sandbox promises, on gVisor: a kernel of its own between function and host, and the same limits and network. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseDestinations } from "../../src/config/outbound.ts";
import { instanceOf, remains } from "../harness/remains.ts";
import { bench, python, whyMissing } from "./harness.ts";
import type { Bench } from "./harness.ts";
import { assertNothing, killedServer } from "./killed-server.ts";
import { NEAR, OTHER, PRIVATE, PUBLIC, openOutside } from "./outside.ts";
import type { Outside } from "./outside.ts";
import { probe } from "./probe.ts";

const missing = await whyMissing("runsc");

describe("sandboxes on gVisor", { skip: missing ?? false }, () => {
  let here: Bench;
  let outside: Outside;
  let open: Server;
  let closed: Server;
  const port = (server: Server) => (server.address() as AddressInfo).port;
  before(async () => {
    outside = await openOutside();
    open = createServer((socket) => socket.end("open")).listen(0, "127.0.0.1");
    closed = createServer((socket) => socket.end("closed")).listen(0, "0.0.0.0");
    await Promise.all([once(open, "listening"), once(closed, "listening")]);
    here = await bench("runsc", {
      serverPorts: [port(open)],
      outbound: "allow-list",
      outboundAllow: parseDestinations(`api.test:7000,${PRIVATE}:7000`),
      resolvers: [PUBLIC],
    });
  });
  after(async () => {
    await here.close();
    open.close();
    closed.close();
    await outside.close();
  });

  test("a kernel of its own, uid 993, no capabilities, a read-only root, nothing of the host's", async () => {
    const { stdout, stderr, exit } =
      await here.node(`import { readFileSync, readdirSync, writeFileSync } from "node:fs"; import { release } from "node:os";
      const refusal = (path) => { try { writeFileSync(path, "x"); return "written"; } catch (error) { return error.code; } };
      const status = readFileSync("/proc/self/status", "utf8");
      console.log(JSON.stringify({ uid: process.getuid(), gid: process.getgid(), release: release(), effective: /CapEff:\\s*(\\S+)/.exec(status)[1],
        refusals: ["/x", "/etc/x", "/var/task/x", "/usr/bin/x", "/dev/x", "/run/supervisor/x"].map(refusal), tmp: refusal("/tmp/x"), pipes: readdirSync("/run/supervisor"), home: readdirSync("/").includes("root"),
        processes: readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).length }));
      process.exit(5);`);
    assert.deepEqual([stderr, exit], ["", { code: 5, signal: undefined, outOfMemory: false }]);
    const told = JSON.parse(stdout) as Record<string, unknown>;
    const kernel = execFileSync("uname", ["-r"], { encoding: "utf8" }).trim();
    assert.notEqual(told["release"], kernel);
    const { uid, gid, effective, tmp, pipes, home } = told;
    assert.deepEqual(
      { uid, gid, effective, tmp, pipes, home },
      { uid: 993, gid: 990, effective: "0000000000000000", tmp: "written", pipes: [], home: false },
    );
    for (const code of told["refusals"] as string[]) assert.match(code, /^(EACCES|EROFS)$/);
    assert.ok((told["processes"] as number) < 10, "it sees its own processes only");
  });

  test("the network of its slot: the server's ports, its Runtime API and the listed destinations; nothing else", async () => {
    const answers = await probe(
      here,
      [
        `tcp:169.254.100.1:${port(open)}`,
        `tcp:169.254.100.1:${port(closed)}`,
        `tcp:${NEAR}:${port(closed)}`,
        "tcp:169.254.169.254:80",
        "tcp:10.1.2.3:80",
        `tcp:${PUBLIC}:7000`,
        "tcp:api.test:7000",
        `udp:${PRIVATE}:7000`,
        `tcp:${OTHER}:7000`,
        "name:database.test",
      ],
      { onRuntimeApiConnection: (socket) => socket.end("mine") },
      (inside) => [`tcp:${inside.runtimeApi}`],
    );
    const refused = "ECONNREFUSED";
    const greeting = `hello ${NEAR}`;
    assert.deepEqual(answers, [
      "open",
      ...Array.from({ length: 5 }, () => refused),
      greeting,
      greeting,
      refused,
      "EREFUSED",
      "mine",
    ]);
  });

  const skip = typeof python === "string" && python;

  test("no raw sockets, no new namespaces, no tracing, no way to the rules, no IPv6", { skip }, async () => {
    const { stdout } = await here.python(`import ctypes, errno, socket
for family, kind, protocol in ((socket.AF_NETLINK, socket.SOCK_RAW, 12), (socket.AF_INET, socket.SOCK_RAW, 255), (socket.AF_PACKET, socket.SOCK_RAW, 0)):
    try: socket.socket(family, kind, protocol); print("open")
    except OSError as error: print("refused")
# Each would make a user namespace, in which gVisor gives capabilities; clone3 must not be there, since its flags cannot be seen.
libc = ctypes.CDLL(None, use_errno=True)
for call in ((272, 0x10000000), (56, 0x10000011, 0, 0, 0, 0), (101, 0, 0, 0, 0), (435, 0, 0)):
    print(errno.errorcode[ctypes.get_errno()] if libc.syscall(*call) < 0 else "allowed")
try: socket.create_connection(("2001:db8::1", 80), 4); print("open")
except OSError as error: print("refused")
s = socket.socket(); s.settimeout(4)
try: s.bind(("10.9.9.9", 0)); print("open")
except OSError as error: print("refused")`);
    const calls = process.arch === "x64" ? "EPERM\nEPERM\nEPERM\nENOSYS\n" : /(.*\n){4}/.exec(stdout)?.[0];
    assert.equal(stdout, `${"refused\n".repeat(3)}${calls}${"refused\n".repeat(2)}`);
  });

  test(
    "what a gVisor that was broken into would send itself is held by the router and by the host",
    { skip },
    async () => {
      const { sandbox, says } = await here.start({
        files: { "main.mjs": `console.log("up"); setInterval(() => {}, 1000)` },
      });
      await says("up");
      const instance = instanceOf(join(here.folder, "state"));
      const inner = readdirSync("/run/netns").find(
        (name) =>
          name.includes(instance) &&
          name.endsWith("-inner") &&
          execFileSync("ip", ["-n", name.replace("-inner", ""), "route"], { encoding: "utf8" }).includes(
            `${sandbox.address} `,
          ),
      );
      /** Sends a datagram as a frame of its own making, from the sandbox's end of the link. */
      const send = (from: string, to: string) =>
        execFileSync("nsenter", [`--net=/run/netns/${inner}`, "python3", "-c", FRAME, from, to]);
      /** Datagrams that arrived, beside the one that tells that all before it have. */
      const arrived = async (from: string, to: string) => {
        const before = outside.said().length;
        send(from, to);
        assert.deepEqual(await probe(here, [`udp:${PRIVATE}:7000`]), [`hello ${NEAR}`]);
        return (outside.said().slice(before).match(/udp/g) ?? []).length - 1;
      };
      assert.equal(await arrived(sandbox.address, PRIVATE), 1, "otherwise this test would show nothing");
      assert.equal(await arrived("10.9.9.9", PRIVATE), 0, "from an address that is not its own");
      assert.equal(await arrived(sandbox.address, OTHER), 0, "to what is not listed");
      await sandbox.stop(0);
    },
  );

  test("one sandbox does not reach another, and the server reaches both", async () => {
    const files = {
      "main.mjs": `import { createServer } from "node:net"; createServer((s) => s.end("mine")).listen(9000, "0.0.0.0", () => console.log("listening"))`,
    };
    const other = await here.start({ files });
    await other.says("listening");
    assert.deepEqual(await probe(here, [`tcp:${other.sandbox.address}:9000`]), ["ECONNREFUSED"]);
    const socket = connect(9000, other.sandbox.address);
    const [data] = (await once(socket, "data")) as [Buffer];
    // Nobody would end it once the sandbox is gone.
    socket.destroy();
    assert.equal(data.toString(), "mine");
    await other.sandbox.stop(0);
  });

  test("the bootstrap's socket, signals, freezing, and the end of one program but not of the sandbox", async () => {
    const socketDir = join(here.folder, "socket");
    await mkdir(socketDir);
    const server = createServer((socket) => socket.end("frames")).listen(join(socketDir, "s"));
    await once(server, "listening");
    const script = `import { writeFileSync } from "node:fs"; import { connect } from "node:net";
      try { writeFileSync("/run/lambent/x", "x"); } catch (error) { console.log(error.code); }
      connect("/run/lambent/s").on("data", (data) => console.log(String(data)));
      process.on("SIGTERM", () => { console.log("asked to end"); process.exit(7); });
      let n = 0; setInterval(() => console.log("tick " + ++n), 20);`;
    const { sandbox, program, says, stdout } = await here.start({ files: { "main.mjs": script }, socketDir });
    await says("EROFS\n");
    await says("frames");
    await says("tick 3");
    await sandbox.freeze();
    const { length } = stdout();
    await new Promise((resolve) => setTimeout(resolve, 300));
    // What was in the pipe when it froze may still come.
    assert.ok(stdout().length - length < 50, "nothing runs while it is frozen");
    await sandbox.thaw();
    await program.signal("SIGTERM");
    assert.deepEqual(await program.exited, { code: 7, signal: undefined, outOfMemory: false });
    assert.match(stdout(), /asked to end/);
    const second = await sandbox.start({
      command: ["/bin/sh", "-c", "kill -9 $$"],
      workingDirectory: "/tmp",
      environment: {},
    });
    assert.deepEqual(await second.exited, { code: undefined, signal: "SIGKILL", outOfMemory: false });
    assert.ok((await sandbox.peakMemoryBytes()) > 0);
    await sandbox.stop(0);
    server.close();
  });

  test("memory and /tmp are limited, and a hog is told as one", async () => {
    const hog = await here.node(`const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1));`, {
      memoryMb: 192,
    });
    assert.deepEqual(hog.exit, { code: undefined, signal: "SIGKILL", outOfMemory: true });
    const filler = await here.node(
      `import { openSync, writeSync } from "node:fs"; const file = openSync("/tmp/x", "w"), block = Buffer.alloc(1 << 20); let n = 0;
       try { for (;; n++) writeSync(file, block); } catch (error) { console.log(error.code, n >= 60 && n <= 70); }`,
      { ephemeralStorageMb: 64 },
    );
    assert.equal(filler.stdout, "ENOSPC true\n");
  });

  test("more processes than it may have are refused by its own kernel", async () => {
    const script =
      "ulimit -p; ulimit -p 20; i=0; while [ $i -lt 40 ]; do sleep 10 & i=$((i+1)); done; echo all";
    const { stdout, stderr } = await here.node("", {
      command: ["/bin/sh", "-c", script],
      environment: { PATH: "/usr/bin:/bin" },
    });
    assert.equal(stdout, "1027\n");
    assert.match(stderr, /Cannot fork/);
  });

  test("nothing stays behind, neither at the end nor after kill -9", async (t) => {
    const folder = await killedServer("runsc");
    const instance = instanceOf(join(folder, "state"));
    assert.ok(remains(folder, instance).processes.length > 0, "the sandboxes of the killed server run on");
    const successor = await bench("runsc", { folder });
    t.after(() => successor.close());
    assert.equal((await successor.node(`console.log("fine")`)).stdout, "fine\n");
    await successor.start({ command: ["/bin/sh", "-c", "sleep 100"] });
    await successor.provider.close();
    await assertNothing(folder, instance);
    assert.equal((await readFile(join(folder, "state", "instance"), "utf8")).length, 8);
  });
});

/** An Ethernet frame to the router with an IPv4 header and a UDP datagram to port 7000. */
const FRAME = `import socket, struct, sys
source, target = map(socket.inet_aton, sys.argv[1:3])
head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 29, 1, 0, 64, 17, 0, source, target)
total = sum(struct.unpack(">10H", head)); total = (total & 0xffff) + (total >> 16)
head = head[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xffff) + head[12:]
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); link.bind(("eth0", 0))
link.send(bytes.fromhex("024c4d420003024c4d4200040800") + head + struct.pack(">HHHH", 4000, 7000, 9, 0) + b"x")`;
