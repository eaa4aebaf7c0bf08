/** Asks a sandbox what it reaches. */
import assert from "node:assert/strict";
import type { Inside, SandboxSpec } from "../../src/sandbox/index.ts";
import type { Bench } from "./harness.ts";

/** Tries each `tcp:host:port`, `udp:host:port` and `name:NAME` and prints one word or greeting for each. */
const PROBE = `import { connect } from "node:net"; import { createSocket } from "node:dgram"; import { resolve4 } from "node:dns/promises";
const tcp = (host, port) => new Promise((done) => {
  const socket = connect({ host, port, timeout: 4000 });
  let text = "";
  socket.on("data", (data) => (text += data)).on("end", () => done(text || "connected"));
  socket.on("timeout", () => { done("timeout"); socket.destroy(); }).on("error", (error) => done(error.code));
});
// A refusal comes as an error of the connected socket, with the datagram or after it.
const udp = (host, port) => new Promise((done) => {
  const socket = createSocket("udp4");
  const end = (text) => { clearTimeout(timer); try { socket.close(); } catch {} done(text); };
  const timer = setTimeout(end, 4000, "timeout");
  socket.on("error", (error) => end("refused " + error.code)).on("message", (message) => end(String(message)));
  socket.connect(port, host, (error) => error ? end("refused " + error.code) : socket.send("hi", (failed) => failed && end("refused " + failed.code)));
});
const name = (host) => resolve4(host).then((all) => all.join(), (error) => error.code);
for (const target of process.env.TARGETS.split(",")) {
  const [first, last] = [target.indexOf(":"), target.lastIndexOf(":")];
  const kind = target.slice(0, first);
  console.log(kind === "name" ? await name(target.slice(last + 1)) : await (kind === "tcp" ? tcp : udp)(target.slice(first + 1, last), Number(target.slice(last + 1))));
}`;

/**
 * What comes of each target: a greeting, the addresses of a name, or the error.
 * @param more Targets that are known only once the sandbox is there.
 */
export async function probe(
  here: Bench,
  targets: readonly string[],
  options: Partial<SandboxSpec> = {},
  more: (inside: Inside) => readonly string[] = () => [],
): Promise<string[]> {
  const environment = (inside: Inside) => ({ TARGETS: [...targets, ...more(inside)].join(",") });
  const { stdout, stderr } = await here.node(PROBE, { ...options, environment });
  assert.equal(stderr, "");
  return stdout.trim().split("\n");
}
