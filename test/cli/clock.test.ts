/** `lambent start --dev` and `lambent clock`: time that passes when it is told to, here and in nobody's signatures. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  CreateQueueCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { start } from "../../src/index.ts";
import { deployFunction, makeRole } from "../harness/functions.ts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions, rootOptions, startServer } from "../harness/server.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const DAY_MS = 86_400_000;

let dataDir: string;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lambent-clock-"));
});
after(() => rm(dataDir, { recursive: true, force: true }));

async function lambent(endpoint: string, ...argv: string[]) {
  const env = { ...process.env, AWS_ENDPOINT_URL: endpoint, AWS_REGION: "us-east-1" };
  const child = spawn(process.execPath, [MAIN, ...argv], { env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { code, stdout, stderr };
}

/** What the clock of a server is ahead of the machine's, in milliseconds, give or take what a command costs. */
function aheadOf(stdout: string): number {
  return Date.parse(stdout.trim()) - Date.now();
}

test("lambent clock advance moves a server's clock, and kill -9 does not set it back", async () => {
  const flags = ["--dev", "--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  let server = await spawnServer(flags);
  const sqs = new SQSClient(clientOptions(server.endpoint));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "later" }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "in ten minutes", DelaySeconds: 600 }));
  const receive = async () => (await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages?.[0]?.Body;
  assert.equal(await receive(), undefined);
  const moved = await lambent(server.endpoint, "clock", "advance", "1h30m");
  assert.equal(moved.code, 0, moved.stderr);
  assert.ok(Math.abs(aheadOf(moved.stdout) - 5_400_000) < 10_000, moved.stdout);
  assert.equal(await receive(), "in ten minutes");
  await server.kill();
  server = await spawnServer(flags);
  const shown = await lambent(server.endpoint, "clock");
  assert.ok(Math.abs(aheadOf(shown.stdout) - 5_400_000) < 10_000, shown.stdout);
  const wrong = await lambent(server.endpoint, "clock", "advance", "soon");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /the duration is "soon"; it must be numbers with s, m, h or d/);
  assert.equal(await server.terminate(), 0);
  const without = await spawnServer(flags.slice(1));
  assert.match(without.output(), /time has gone back/);
  const refused = await lambent(without.endpoint, "clock", "advance", "5m");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /start it with --dev/);
  await without.terminate();
});

test("signatures and functions keep the machine's time when a server's is moved", async (t) => {
  const server = await start({ dev: "on", auth: "on", sandbox: "process" });
  t.after(() => server.stop());
  const options = await rootOptions(server);
  const move = (advance: unknown, headers: Record<string, string> = {}) =>
    fetch(`${server.endpoint}/_lambent/clock`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ advance }),
    });
  await makeRole(options);
  const Role = "arn:aws:iam::000000000000:role/test-function";
  const code = "export const handler = async (_, context) => context.getRemainingTimeInMillis();";
  await deployFunction(options, "left", { "index.mjs": code }, { Role });
  assert.equal((await move(DAY_MS)).status, 200);
  const { Payload } = await new LambdaClient(options).send(new InvokeCommand({ FunctionName: "left" }));
  const left = Number(Buffer.from(Payload ?? []).toString());
  assert.ok(left > 0 && left <= 900_000, `${left} ms are left`);
  await assert.rejects(
    new SQSClient(options).send(new GetQueueUrlCommand({ QueueName: "nothing" })),
    { name: "QueueDoesNotExist" },
    "the signature, made at the machine's time, is taken",
  );
  for (const [advance, headers, status] of [
    [-1, {}, 400],
    ["5m", {}, 400],
    [32 * DAY_MS, {}, 400],
    [1, { "content-type": "text/plain" }, 415],
    [1, { "x-forwarded-for": "198.51.100.7" }, 403],
    [1, { origin: "http://localhost:3000" }, 403],
  ] as const)
    assert.equal((await move(advance, headers)).status, status, JSON.stringify([advance, headers]));
});

test("without --dev the clock stands; --dev refuses a database that servers may share", async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const answer = await fetch(`${server.endpoint}/_lambent/clock`);
  assert.equal(answer.status, 409);
  assert.match(await answer.text(), /start it with --dev/);
  await assert.rejects(
    start({ dev: "on", databaseUrl: "postgres://localhost/none" }),
    /must agree on the time/,
  );
});
