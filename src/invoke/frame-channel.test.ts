/** Which answers count, whoever writes them into the bootstrap's socket. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createLog } from "../telemetry/log.ts";
import { listenForFrames } from "./frame-channel.ts";
import { FRAME } from "./frames.ts";

function response(requestId: string, payload: string): Buffer {
  const id = Buffer.from(requestId);
  const frame = Buffer.alloc(9);
  frame.writeUInt32BE(5 + id.length + payload.length, 0);
  frame[4] = FRAME.response;
  frame.writeUInt32BE(id.length, 5);
  return Buffer.concat([frame, id, Buffer.from(payload)]);
}

test("only the first answer to the invocation under way counts, whatever else comes before or after", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "lambent-frames-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "s");
  const answers: string[] = [];
  const done = Promise.withResolvers<void>();
  const listener = {
    next() {},
    initError() {},
    answer: (payload: Buffer) => void answers.push(payload.toString()),
    answerTooLarge() {},
    answerRefused() {},
    stream: () => assert.fail("nothing was streamed"),
    log: () => done.resolve(),
  };
  const channel = await listenForFrames(path, listener, createLog("error"));
  t.after(() => channel.close());
  const runtime = connect(path);
  t.after(() => runtime.destroy());
  await once(runtime, "connect");
  runtime.write(response("", "before any"));
  await sleep(20);
  const texts = { functionArn: "", traceHeader: "", clientContext: "", cognitoIdentity: "" };
  channel.deliver({ ...texts, requestId: "now", deadline: 0, payload: Buffer.from("{}") });
  for (const id of ["", "", "earlier", "", "earlier"]) runtime.write(response(id, "nobody's"));
  runtime.write(response("now", "the answer"));
  runtime.write(response("now", "a second"));
  runtime.write(response("", "after it"));
  runtime.write(Buffer.from([0, 0, 0, 3, FRAME.log, 0, 0]));
  await done.promise;
  assert.deepEqual(answers, ["the answer"]);
});
