/** Asynchronous invocations: run after the 202, in whatever way the server ends meanwhile. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
} from "@aws-sdk/client-lambda";
import { MovableClock } from "../../src/index.ts";
import { spawnServer } from "../harness/process.ts";
import type { ServerProcess } from "../harness/process.ts";
import { clientOptions, startServer } from "../harness/server.ts";
import { settle, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

const RECORD = `export const handler = async (event, context) => { console.log("got", JSON.stringify(event), "as", context.awsRequestId); };`;
const FAIL_ONCE = `let runs = 0;
export const handler = async () => { if (++runs === 1) throw new Error("the first time"); console.log("then well"); };`;

const THROTTLED = { name: "TooManyRequestsException", Reason: "ConcurrentInvocationLimitExceeded" };

const clock = new MovableClock();
let setting: Setting;

before(async () => {
  setting = await startSetting({ clock });
});
after(async () => setting?.server.stop());

/** Answers the request id. */
async function send(lambda: LambdaClient, FunctionName: string, event: unknown): Promise<string> {
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: JSON.stringify(event) }),
  );
  assert.equal(answer.StatusCode, 202);
  assert.equal(answer.Payload?.length ?? 0, 0);
  assert.equal(answer.FunctionError, undefined);
  return answer.$metadata.requestId ?? "";
}

/** The function's log once it has what `enough` looks for. */
async function logWith(endpoint: string, name: string, enough: (log: string) => boolean, seconds = 60) {
  const logs = new CloudWatchLogsClient(clientOptions(endpoint));
  let log = "";
  for (let tries = 0; tries < seconds * 10; tries++) {
    const found = await logs
      .send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}` }))
      .catch(() => undefined);
    log = found?.events?.map((one) => one.message).join("") ?? "";
    if (enough(log)) return log;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return assert.fail(`the log of ${name} after ${seconds} s:\n${log}`);
}

test("Invoke as an event runs the function with the request's id", async () => {
  const name = await setting.create(RECORD);
  const id = await send(setting.lambda, name, { n: 1 });
  const log = await logWith(setting.server.endpoint, name, (text) => text.includes("REPORT"));
  assert.ok(log.includes(`got {"n":1} as ${id}`), log);
});

test("Invoke as an event runs the version or alias that was named", async () => {
  const name = await setting.create(RECORD);
  await setting.lambda.send(new PublishVersionCommand({ FunctionName: name }));
  await setting.lambda.send(
    new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: "1" }),
  );
  await send(setting.lambda, `${name}:live`, {});
  await logWith(setting.server.endpoint, name, (text) => /START RequestId: \S+ Version: 1/.test(text));
});

test("Invoke as an event of a function that is gone is refused at once, and a queued one is dropped", async () => {
  await assert.rejects(send(setting.lambda, "nobody", {}), { name: "ResourceNotFoundException" });
  const name = await setting.create(RECORD);
  await send(setting.lambda, name, {});
  await setting.lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
});

test("Invoke as an event runs a hundred events, each once", async () => {
  const name = await setting.create(RECORD);
  const ids = await Promise.all(Array.from({ length: 100 }, (_, n) => send(setting.lambda, name, { n })));
  const log = await logWith(setting.server.endpoint, name, (text) => count(text, "REPORT") >= 100);
  for (const id of ids) assert.equal(count(log, `as ${id}`), 1);
});

test("an event that was accepted runs after kill -9 and after SIGTERM", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  // With one environment, which the blocker holds, accepted events cannot run before the server ends.
  const flags = ["--port", "0", "--data-dir", dataDir, "--environments-max", "1", "--stop-grace-ms", "1000"];
  const servers: ServerProcess[] = [];
  const boot = async (more = flags) => {
    const server = await spawnServer(more);
    servers.push(server);
    return server;
  };
  try {
    const first = await boot();
    const { create, lambda } = await settle(first.endpoint);
    const blocker = await create(
      "export const handler = () => new Promise((done) => setTimeout(done, 60000));",
      {
        Timeout: 60,
      },
    );
    const name = await create(RECORD);
    await occupy(lambda, blocker);
    await assert.rejects(lambda.send(new InvokeCommand({ FunctionName: name })), THROTTLED);
    const killed = await Promise.all([1, 2, 3].map((n) => send(lambda, name, { n })));
    await first.kill();

    const second = await boot();
    const client = new LambdaClient(clientOptions(second.endpoint));
    await logWith(second.endpoint, name, (text) => killed.every((id) => text.includes(`as ${id}`)));
    await occupy(client, blocker);
    const stopped = await Promise.all([4, 5].map((n) => send(client, name, { n })));
    assert.equal(await second.terminate(), 0);

    const third = await boot();
    await logWith(third.endpoint, name, (text) => stopped.every((id) => text.includes(`as ${id}`)));
  } finally {
    for (const server of servers)
      if (server.child.exitCode === null && !server.child.killed) await server.terminate();
    await rm(dataDir, { recursive: true, force: true });
  }
});

test("a server with asynchronous concurrency 0 accepts events and leaves them to one that runs some", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  try {
    const accepting = await startSetting({ dataDir, asyncConcurrency: 0 });
    const name = await accepting.create(RECORD);
    const id = await send(accepting.lambda, name, {});
    assert.equal((await accepting.invoke(name, {})).error, undefined, "it runs all else");
    await accepting.server.stop();
    const running = await startServer({ dataDir, asyncConcurrency: 1 });
    try {
      await logWith(running.endpoint, name, (text) => text.includes(`as ${id}`));
    } finally {
      await running.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test("a flood of events for a slow function does not hold up those of others", async () => {
  const flooded = await startSetting({ asyncConcurrency: 4, stopGraceMs: 100, logLevel: "error" });
  try {
    const slow = await flooded.create(
      "export const handler = () => new Promise(() => setTimeout(() => {}, 1e6));",
      {
        Timeout: 300,
      },
    );
    const quick = await flooded.create(RECORD);
    await Promise.all(Array.from({ length: 60 }, (_, n) => send(flooded.lambda, slow, { n })));
    const id = await send(flooded.lambda, quick, {});
    await logWith(flooded.server.endpoint, quick, (text) => text.includes(`as ${id}`));
    const log = await logWith(flooded.server.endpoint, slow, () => true);
    assert.ok(count(log, "START RequestId") <= 2, "half of what runs at once, and no more");
    assert.equal(count(log, "REPORT"), 0, "and none of it has ended");
  } finally {
    await flooded.server.stop();
  }
});

test("a function's error is retried a minute later under the same request id", async () => {
  const name = await setting.create(FAIL_ONCE);
  const id = await send(setting.lambda, name, {});
  await logWith(setting.server.endpoint, name, (text) => text.includes("REPORT"));
  for (let seconds = 0; seconds < 55; seconds += 5) await clock.advance(5_000);
  const early = await logWith(setting.server.endpoint, name, () => true);
  assert.equal(count(early, `START RequestId: ${id}`), 1, "not before its time");
  await clock.advance(10_000);
  const log = await logWith(setting.server.endpoint, name, (text) => text.includes("then well"));
  assert.equal(count(log, `START RequestId: ${id}`), 2);
});

/** Invokes a function that runs until its server ends; again where the one environment is still taken. */
async function occupy(lambda: LambdaClient, blocker: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const ended = lambda.send(new InvokeCommand({ FunctionName: blocker })).then(
      () => "ended",
      (error: Error) => error.name,
    );
    const running = new Promise<string>((resolve) => setTimeout(resolve, 500, "running"));
    if ((await Promise.race([ended, running])) === "running") return;
  }
  assert.fail("the blocker never ran");
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
