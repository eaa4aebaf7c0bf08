/** A machine outside, for tests of what functions reach: a network namespace of its own that plays the internet and a team's own network. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";

/** Addresses of this run alone, so that test files may run side by side. */
const N = process.pid % 250;
const BASE = (process.pid % 63) * 4;

/** Addresses for documentation (RFC 5737): this host's end of the link, and the machine beyond it. */
export const NEAR = `203.0.113.${BASE + 1}`;
export const PUBLIC = `203.0.113.${BASE + 2}`;
/** Another public address of it. */
export const OTHER = `198.51.100.${N + 1}`;
/** Its address in a private network. */
export const PRIVATE = `172.31.${N}.2`;

/** What its name server answers; `AAAA` and other types of a known name are empty. */
const NAMES = {
  "api.test": PUBLIC,
  "a.wild.test": OTHER,
  "database.test": PRIVATE,
  "evil.test": "169.254.169.254",
};

/** Greets on TCP 7000 and 7001 and echoes on UDP 7000, all with the address of the caller; answers names on 53; says what it was asked. */
const SCRIPT = `
const net = require("net"), dgram = require("dgram"), names = ${JSON.stringify(NAMES)};
for (const port of [7000, 7001]) net.createServer((s) => s.on("error", () => {}).end("hello " + s.remoteAddress)).listen(port, "0.0.0.0");
// One socket for each address, so that each answers from its own.
for (const own of ["${PUBLIC}", "${OTHER}", "${PRIVATE}"]) {
  const echo = dgram.createSocket("udp4").on("message", (m, from) => { console.log("udp " + from.address); echo.send("hello " + from.address, from.port, from.address); });
  echo.bind(7000, own);
}
function answer(query) {
  let at = 12; const labels = [];
  while (query[at]) { labels.push(query.toString("latin1", at + 1, at + 1 + query[at])); at += query[at] + 1; }
  const name = labels.join("."), address = names[name.toLowerCase()], type = query.readUInt16BE(at + 1);
  console.log("asked " + name);
  const head = Buffer.from(query.subarray(0, at + 5)), has = address && type === 1;
  head.writeUInt16BE(address ? 0x8180 : 0x8183, 2); head.writeUInt16BE(has ? 1 : 0, 6); head.fill(0, 8, 12);
  return Buffer.concat([head, has ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, ...address.split(".").map(Number)]) : Buffer.alloc(0)]);
}
const dns = dgram.createSocket("udp4").on("message", (m, from) => dns.send(answer(m), from.port, from.address));
dns.bind(53, "${PUBLIC}");
net.createServer((s) => s.on("data", (m) => { const a = answer(m.subarray(2)); s.write(Buffer.concat([Buffer.from([a.length >> 8, a.length & 255]), a])); }).on("error", () => {})).listen(53, "${PUBLIC}", () => console.log("up"));
`;

export interface Outside {
  /** Everything that it has said: `asked NAME` for each question, `udp ADDRESS` for each datagram. */
  readonly said: () => string;
  close(): Promise<void>;
}

/** Makes it; root is needed. */
export async function openOutside(): Promise<Outside> {
  const name = `outside-${process.pid}`;
  const link = `out${process.pid}`;
  const ip = (...args: string[]) => execFileSync("ip", args);
  ip("netns", "add", name);
  ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name);
  ip("addr", "add", `${NEAR}/30`, "dev", link);
  ip("link", "set", link, "up");
  ip("-n", name, "addr", "add", `${PUBLIC}/30`, "dev", "eth0");
  for (const address of [OTHER, PRIVATE]) ip("-n", name, "addr", "add", `${address}/32`, "dev", "eth0");
  ip("-n", name, "link", "set", "eth0", "up");
  ip("-n", name, "route", "add", "default", "via", NEAR);
  for (const address of [OTHER, PRIVATE]) ip("route", "add", `${address}/32`, "via", PUBLIC);
  const machine = spawn("ip", ["netns", "exec", name, process.execPath, "-e", SCRIPT], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  machine.stdout.on("data", (data: Buffer) => (said += data.toString()));
  while (!said.includes("up")) await once(machine.stdout, "data");
  return {
    said: () => said,
    async close() {
      const gone = once(machine, "exit");
      machine.kill("SIGKILL");
      await gone;
      ip("link", "del", link);
      ip("netns", "del", name);
    },
  };
}
