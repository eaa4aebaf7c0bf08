/** 10,000 asynchronous invocations while the server is killed five times: what was answered 202 runs, or is with its destination. */
import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { chmod, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PutFunctionEventInvokeConfigCommand } from "@aws-sdk/client-lambda";
import { PutRolePolicyCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { deployFunction, makeRole } from "../harness/functions.ts";
import { Life } from "../harness/life.ts";
import { clientOptions } from "../harness/server.ts";
import { scope } from "../protocol/raw-request.ts";

const EVENTS = 10_000;
const KILLS = 5;
const CALLERS = 32;
/** One event in so many fails, and must be found in the bucket of failed events. */
const FAILING = 50;
const FUNCTION = "recorder";
const BUCKET = "failed-events";
/** Longest wait for what the last server found in its queue. */
const DRAIN_MS = 120_000;
/** Longest wait for a server to answer. */
const ANSWER_MS = 60_000;

/** The function's own record: a line for each run, in a file that no server knows of. It runs on a plain process, which may write there. */
const source = (folder: string) => `import { appendFileSync } from "node:fs";
export const handler = async ({ n }) => {
  appendFileSync(${JSON.stringify(folder)} + "/runs-" + process.pid, n + "\\n");
  if (n % ${FAILING} === 0) throw new Error("as it should");
};`;

/** The same kills at the same moments of the work in every run. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
}

async function prepare(endpoint: string, folder: string): Promise<void> {
  const options = clientOptions(endpoint);
  const RoleName = "test-function";
  await makeRole(options, RoleName);
  const Statement = [{ Effect: "Allow", Action: ["s3:PutObject", "s3:ListBucket"], Resource: "*" }];
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await new IAMClient(options).send(
    new PutRolePolicyCommand({ RoleName, PolicyName: "records", PolicyDocument }),
  );
  await new S3Client(options).send(new CreateBucketCommand({ Bucket: BUCKET }));
  const lambda = await deployFunction(options, FUNCTION, { "index.mjs": source(folder) });
  await lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: FUNCTION,
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnFailure: { Destination: `arn:aws:s3:::${BUCKET}` } },
    }),
  );
}

/** Whether the event was answered 202; anything else, a broken connection too, promises nothing. */
function send(endpoint: string, agent: Agent, n: number): Promise<boolean> {
  return new Promise((resolve) => {
    const path = `/2015-03-31/functions/${FUNCTION}/invocations`;
    const headers = { ...scope("lambda"), "x-amz-invocation-type": "Event" };
    const sent = request(new URL(path, endpoint), { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.once("close", () => resolve(response.complete && response.statusCode === 202));
    });
    sent.once("error", () => resolve(false));
    sent.end(JSON.stringify({ n }));
  });
}

/** Sends events until so many are accepted, while the server is killed in each part of the work once. Answers the accepted ones. */
async function sendWhileKilling(life: Life): Promise<Set<number>> {
  const random = seededRandom(20_261_125);
  const part = EVENTS / KILLS;
  const killsAt = Array.from({ length: KILLS }, (_, at) => Math.floor((at + 0.1 + random() * 0.8) * part));
  const accepted = new Set<number>();
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
  let killing: Promise<void> | undefined;
  let next = 0;
  const caller = async () => {
    for (let refusedSince = 0; accepted.size < EVENTS;) {
      const { endpoint } = await life.server;
      const n = next++;
      if (await send(endpoint, agent, n)) {
        accepted.add(n);
        refusedSince = 0;
      } else {
        refusedSince ||= Date.now();
        assert.ok(Date.now() - refusedSince < ANSWER_MS, "no event was accepted for long");
        await sleep(20);
      }
      if (killing === undefined && accepted.size >= (killsAt[0] ?? Infinity)) {
        killsAt.shift();
        killing = life.kill().finally(() => (killing = undefined));
      }
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  await killing;
  agent.destroy();
  assert.deepEqual(killsAt, [], "every kill came");
  return accepted;
}

/** How often each event ran, by the function's own record. */
async function runsIn(folder: string): Promise<Map<number, number>> {
  const runs = new Map<number, number>();
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), "utf8");
    for (const line of text.split("\n").slice(0, -1))
      runs.set(Number(line), (runs.get(Number(line)) ?? 0) + 1);
  }
  return runs;
}

/** The events that the bucket of failed events has got, by its objects. */
async function failedIn(s3: S3Client, known: Map<string, number>): Promise<Map<string, number>> {
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: BUCKET, ...(token !== undefined && { ContinuationToken: token }) }),
    );
    token = page.NextContinuationToken;
    for (const { Key = "" } of page.Contents ?? []) {
      if (known.has(Key)) continue;
      const object = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
      const record = JSON.parse((await object.Body?.transformToString()) ?? "") as {
        requestPayload: { n: number };
        requestContext: { condition: string };
      };
      assert.equal(record.requestContext.condition, "RetriesExhausted");
      known.set(Key, record.requestPayload.n);
    }
  } while (token !== undefined);
  return known;
}

test(`${EVENTS} accepted events and ${KILLS} kills: each runs, and each that fails is in its destination`, async (context) => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-crash-"));
  const folder = await mkdtemp(join(tmpdir(), "lambent-runs-"));
  await chmod(folder, 0o777);
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  const life = new Life([...flags, "--async-concurrency", "16", "--log-level", "error"]);
  try {
    const { endpoint } = await life.server;
    await prepare(endpoint, folder);
    const accepted = await sendWhileKilling(life);
    const s3 = new S3Client(clientOptions((await life.server).endpoint));
    const failed = new Map<string, number>();
    const missing = async () => {
      const runs = await runsIn(folder);
      const delivered = new Set((await failedIn(s3, failed)).values());
      return [...accepted].filter((n) => (n % FAILING === 0 ? !delivered.has(n) : !runs.has(n)));
    };
    let left = await missing();
    for (const end = Date.now() + DRAIN_MS; left.length > 0 && Date.now() < end; left = await missing())
      await sleep(250);
    assert.deepEqual(left, [], "every accepted event ran, or is in its destination");
    const runs = await runsIn(folder);
    for (const n of failed.values()) {
      assert.equal(n % FAILING, 0, `${n} did not fail`);
      assert.ok(runs.has(n), `${n} has a record and never ran`);
    }
    const again = [...runs.values()].filter((count) => count > 1).length;
    context.diagnostic(
      `accepted ${accepted.size}, ran ${runs.size}, more than once ${again}, failed ${failed.size}`,
    );
  } finally {
    await (await life.server).terminate();
    await rm(dataDir, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
});
