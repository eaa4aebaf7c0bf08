/** What PutLogEvents has answered reaches the subscription's destination, though the server was killed before it could be sent on. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  PutSubscriptionFilterCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateStreamCommand, KinesisClient, waitUntilStreamExists } from "@aws-sdk/client-kinesis";
import { recordsFrom } from "../harness/kinesis.ts";
import { Life } from "../harness/life.ts";
import { clientOptions } from "../harness/server.ts";

const GROUP = "crash";
const KILLS = 2;
/** A life is about as long as a turn of what sends on, so that notes are left behind. */
const LIFE_MS = 500;
const ARRIVAL_MS_MAX = 20_000;

test("events for a subscription's stream survive kill -9, twice, each at least once", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-crash-"));
  const life = new Life(["--port", "0", "--data-dir", dataDir, "--sandbox", "process"]);
  try {
    await prepare((await life.server).endpoint);
    const acknowledged: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const { endpoint } = await life.server;
      const writing = write(endpoint, `life ${kill}`, acknowledged);
      await setTimeout(LIFE_MS);
      await life.kill();
      await writing;
    }
    assert.ok(acknowledged.length > KILLS);
    const kinesis = new KinesisClient(clientOptions((await life.server).endpoint));
    const missing = await untilAllCame(kinesis, acknowledged);
    kinesis.destroy();
    assert.deepEqual(missing, []);
  } finally {
    await (await life.server).terminate();
    await rm(dataDir, { recursive: true, force: true });
  }
});

async function prepare(endpoint: string): Promise<void> {
  const options = clientOptions(endpoint);
  const [logs, iam, kinesis] = [
    new CloudWatchLogsClient(options),
    new IAMClient(options),
    new KinesisClient(options),
  ];
  const policy = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const trust = { Effect: "Allow", Principal: { Service: "logs.amazonaws.com" }, Action: "sts:AssumeRole" };
  const RoleName = "logs";
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy(trust) }),
  );
  const PolicyDocument = policy({ Effect: "Allow", Action: "kinesis:PutRecord", Resource: "*" });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
  const stream = { StreamName: GROUP, ShardCount: 1 };
  await kinesis.send(new CreateStreamCommand(stream));
  await waitUntilStreamExists({ client: kinesis, maxWaitTime: 20, minDelay: 0.1, maxDelay: 1 }, stream);
  await logs.send(new CreateLogGroupCommand({ logGroupName: GROUP }));
  await logs.send(new CreateLogStreamCommand({ logGroupName: GROUP, logStreamName: "s" }));
  await logs.send(
    new PutSubscriptionFilterCommand({
      logGroupName: GROUP,
      filterName: "f",
      filterPattern: "wanted",
      destinationArn: `arn:aws:kinesis:us-east-1:000000000000:stream/${GROUP}`,
      roleArn: Role?.Arn,
    }),
  );
  for (const client of [logs, iam, kinesis]) client.destroy();
}

/** Writes until the server is gone. */
async function write(endpoint: string, life: string, acknowledged: string[]): Promise<void> {
  const logs = new CloudWatchLogsClient(clientOptions(endpoint));
  try {
    for (let n = 0; ; n++) {
      const message = `wanted, ${life}, ${n}`;
      const logEvents = [{ timestamp: Date.now(), message }];
      await logs.send(new PutLogEventsCommand({ logGroupName: GROUP, logStreamName: "s", logEvents }));
      acknowledged.push(message);
    }
  } catch {
    logs.destroy();
  }
}

/** Answers what of it has not come to the stream in time. */
async function untilAllCame(kinesis: KinesisClient, wanted: readonly string[]): Promise<string[]> {
  const until = Date.now() + ARRIVAL_MS_MAX;
  for (;;) {
    const { Records = [] } = await recordsFrom(kinesis, GROUP, "TRIM_HORIZON");
    const came = new Set(
      Records.flatMap(({ Data }) => {
        const { logEvents } = JSON.parse(gunzipSync(Data ?? "").toString()) as {
          logEvents: { message: string }[];
        };
        return logEvents.map(({ message }) => message);
      }),
    );
    const missing = wanted.filter((message) => !came.has(message));
    if (missing.length === 0 || Date.now() > until) return missing;
    await setTimeout(250);
  }
}
