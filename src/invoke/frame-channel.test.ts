/** Which answers count, whoever writes them into the bootstrap's socket. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createLog } from "../telemetry/log.ts";
import { listenForFrames } from "./frame-channel.ts";
import { FRAME } from "./frames.ts";

function response(requestId: string, payload: string): Buffer {
  return frame(FRAME.response, text(requestId), Buffer.from(payload));
}

function frame(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + body.length, 0);
  head[4] = type;
  return Buffer.concat([head, body]);
}

function text(value: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length, 0);
  return Buffer.concat([length, Buffer.from(value)]);
}

const texts = { functionArn: "", traceHeader: "", clientContext: "", cognitoIdentity: "" };
const delivery = (requestId: string) => ({ ...texts, requestId, deadline: 0, payload: Buffer.from("{}") });

/** A channel with the runtime's end of it, and what the server heard. */
async function openChannel(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "lambent-frames-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "s");
  const answers: string[] = [];
  const recalled: string[] = [];
  const logged = Promise.withResolvers<void>();
  const listener = {
    next() {},
    initError() {},
    answer: (payload: Buffer) => void answers.push(payload.toString()),
    answerTooLarge() {},
    answerRefused() {},
    stream: () => assert.fail("nothing was streamed"),
    recalled: (requestIds: readonly string[]) => void recalled.push(...requestIds),
    log: () => logged.resolve(),
  };
  const channel = await listenForFrames(path, listener, createLog("error"));
  t.after(() => channel.close());
  const runtime = connect(path);
  t.after(() => runtime.destroy());
  await once(runtime, "connect");
  return { channel, runtime, answers, recalled, logged: logged.promise };
}

test("only the first answer to the invocation under way counts, whatever else comes before or after", async (t) => {
  const { channel, runtime, answers, logged } = await openChannel(t);
  runtime.write(response("", "before any"));
  await sleep(20);
  channel.deliver(delivery("now"));
  for (const id of ["", "", "earlier", "", "earlier"]) runtime.write(response(id, "nobody's"));
  runtime.write(response("now", "the answer"));
  runtime.write(response("now", "a second"));
  runtime.write(response("", "after it"));
  runtime.write(frame(FRAME.log, Buffer.from([0, 0])));
  await logged;
  assert.deepEqual(answers, ["the answer"]);
});

test("an answer that comes with the news that the one before it never began is heard when its own has begun", async (t) => {
  const { channel, runtime, answers, recalled } = await openChannel(t);
  runtime.write(frame(FRAME.hello, Buffer.from([2, 0, 0, 0, 1])));
  runtime.write(frame(FRAME.initResult, Buffer.from([1]), text("")));
  while (!channel.ahead) await sleep(1);
  const { ahead } = channel;
  channel.deliver(delivery("first"));
  await sleep(1);
  assert.ok(ahead.deliver(delivery("second")));
  runtime.write(response("first", "of the first"));
  while (answers.length === 0) await sleep(1);
  ahead.begin();
  assert.ok(ahead.deliver(delivery("third")));
  runtime.write(Buffer.concat([frame(FRAME.recalled, text("second")), response("third", "of the third")]));
  while (recalled.length === 0) await sleep(1);
  assert.deepEqual(answers, ["of the first"]);
  ahead.begin();
  assert.deepEqual(answers, ["of the first", "of the third"]);
});
