/** When the Node.js bootstrap begins what it was handed ahead. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const CONNECTION = new URL("../../runtimes/nodejs/connection.mjs", import.meta.url).href;
const FRAMES = new URL("../../src/invoke/frames.ts", import.meta.url).href;

/** Both ends in one process, which the bootstrap ends with its connection: what lies in the socket at which moment is certain. */
const PROGRAM = `
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "${CONNECTION}";
import { encodeInvoke, encodeRecall } from "${FRAMES}";
const server = createServer().listen(process.env.SOCKET);
const accepted = once(server, "connection");
const connection = await connect(process.env.SOCKET);
const [socket] = await accepted;
socket.resume();
const texts = { functionArn: "", traceHeader: "", clientContext: "", cognitoIdentity: "" };
const invoke = (requestId, bytes) =>
  encodeInvoke({ ...texts, requestId, deadline: 0, payload: Buffer.alloc(bytes, " ") })[0];
const begun = [];
connection.onInvocation = ({ requestId }) => begun.push(requestId);
socket.write(invoke("first", 2));
while (begun.length === 0) await sleep(1);
// All of it is there when the first, which held up the loop, is over.
socket.write(Buffer.concat([invoke("second", 40_000), invoke("third", 40_000), encodeRecall("first")]));
connection.respond("first", "1");
await sleep(50);
socket.write(invoke("fourth", 60_000));
while (begun.length === 1) await sleep(1);
console.log(begun.join());
process.exit();
`;

test("nothing begins before everything that has come is read, however large: it may have been recalled", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "lambent-connection-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", PROGRAM], {
    env: { ...process.env, SOCKET: join(folder, "s") },
    timeout: 20_000,
  });
  assert.equal(stdout, "first,fourth\n");
});
