/** What PutLogEvents and AssumeRole have answered is there after the server was killed in the middle of more of them. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  paginateGetLogEvents,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Credentials } from "@aws-sdk/client-sts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";

const GROUP = "crash";
const STREAMS = ["a", "b", "c"];
const WRITING_MS = 700;

test("PutLogEvents' events and AssumeRole's sessions survive kill -9", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-crash-"));
  // No function runs here, so nothing has to be isolated, and a killed server leaves no mounts.
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  let server = await spawnServer(flags);
  try {
    const written = await writeUntilKilled(server.endpoint, () => server.kill());
    assert.ok(written.events.size > 0 && written.credentials);
    server = await spawnServer(flags);
    const logs = new CloudWatchLogsClient(clientOptions(server.endpoint));
    for (const [stream, acknowledged] of written.events) {
      const kept: string[] = [];
      for await (const page of paginateGetLogEvents(
        { client: logs, stopOnSameToken: true },
        { logGroupName: GROUP, logStreamName: stream, startFromHead: true },
      ))
        kept.push(...(page.events ?? []).map((event) => event.message ?? ""));
      // What was under way when the server died may have been kept too, whole.
      assert.ok(
        kept.length - acknowledged.length <= 2,
        `${stream}: ${kept.length} of ${acknowledged.length}`,
      );
      assert.deepEqual(kept.slice(0, acknowledged.length), acknowledged);
      assert.equal(kept.length % 2, 0);
    }
    logs.destroy();
    const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = written.credentials;
    const session = new STSClient({
      ...clientOptions(server.endpoint),
      credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
    });
    const who = await session.send(new GetCallerIdentityCommand({}));
    assert.equal(who.Arn, "arn:aws:sts::000000000000:assumed-role/crash/last");
    session.destroy();
  } finally {
    await server.terminate();
    await rm(dataDir, { recursive: true, force: true });
  }
});

interface Written {
  /** Acknowledged messages by stream. */
  readonly events: Map<string, string[]>;
  /** Of the session that was opened last. */
  readonly credentials: Credentials | undefined;
}

async function writeUntilKilled(endpoint: string, kill: () => Promise<void>): Promise<Written> {
  const options = clientOptions(endpoint);
  const [logs, iam, sts] = [
    new CloudWatchLogsClient(options),
    new IAMClient(options),
    new STSClient(options),
  ];
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: "000000000000" }, Action: "sts:AssumeRole" }],
  };
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName: "crash", AssumeRolePolicyDocument: JSON.stringify(trust) }),
  );
  await logs.send(new CreateLogGroupCommand({ logGroupName: GROUP }));
  const events = new Map<string, string[]>();
  let credentials: Credentials | undefined;
  const killed = new AbortController();
  const write = async (logStreamName: string) => {
    await logs.send(new CreateLogStreamCommand({ logGroupName: GROUP, logStreamName }));
    const acknowledged: string[] = [];
    events.set(logStreamName, acknowledged);
    for (let n = 0; !killed.signal.aborted; n++) {
      const messages = [`${n} first`, `${n} second`];
      const logEvents = messages.map((message) => ({ message, timestamp: Date.now() }));
      await logs.send(new PutLogEventsCommand({ logGroupName: GROUP, logStreamName, logEvents }));
      acknowledged.push(...messages);
    }
  };
  const assume = async () => {
    while (!killed.signal.aborted)
      credentials = (await sts.send(new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: "last" })))
        .Credentials;
  };
  // The server is gone in the middle of these; that is what they end with.
  const writers = Promise.allSettled([...STREAMS.map(write), assume()]);
  await setTimeout(WRITING_MS);
  await kill();
  killed.abort();
  await writers;
  for (const client of [logs, iam, sts]) client.destroy();
  return { events, credentials };
}
