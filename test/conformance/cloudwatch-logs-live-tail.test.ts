/** Live Tail's bounds: several groups, the sessions of an account, and the three hours of one. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  SessionTimeoutException,
  StartLiveTailCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type { StartLiveTailResponseStream } from "@aws-sdk/client-cloudwatch-logs";
import { LeapingClock } from "../harness/kinesis.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import { startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";

const GROUPS = ["one", "two"];
const ARNS = GROUPS.map((name) => `arn:aws:logs:us-east-1:000000000000:log-group:${name}`);
const SESSIONS_MAX = 15;
const clock = new LeapingClock();

let server: TestServer;
let logs: CloudWatchLogsClient;
before(async () => {
  server = await startServer({ sandbox: "process", logLevel: "error", clock });
  logs = new CloudWatchLogsClient({ ...server.client(), disableHostPrefix: true });
  for (const logGroupName of GROUPS) {
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "s" }));
  }
});
after(async () => {
  logs.destroy();
  await server.stop();
});

/** A session that has begun, and what comes after its start. */
async function begin(
  logGroupIdentifiers = ARNS,
  client = logs,
): Promise<AsyncIterator<StartLiveTailResponseStream>> {
  const { responseStream } = await client.send(
    new StartLiveTailCommand({ logGroupIdentifiers, logEventFilterPattern: "{ $.wanted IS TRUE }" }),
  );
  const events = (responseStream ?? assert.fail())[Symbol.asyncIterator]();
  const { value } = (await events.next()) as { value: StartLiveTailResponseStream };
  assert.ok(value.sessionStart?.sessionId);
  return events;
}

async function untilThereIsRoom(client: CloudWatchLogsClient) {
  for (let tries = 0; ; tries++)
    try {
      return await begin(ARNS, client);
    } catch (error) {
      if ((error as Error).name !== "LimitExceededException" || tries > 100) throw error;
      await setTimeout(50);
    }
}

test("StartLiveTail has a limit of sessions, and ends one after three hours", async () => {
  // One connection each, which ends with its client.
  const clients = Array.from(
    { length: SESSIONS_MAX },
    () => new CloudWatchLogsClient({ ...server.client(), disableHostPrefix: true }),
  );
  const sessions = await Promise.all(clients.map((client) => begin(ARNS, client)));
  await assert.rejects(begin(), {
    name: "LimitExceededException",
    message: "There can be at most 15 Live Tail sessions at once; end one of them first.",
  });
  // Who leaves makes room.
  clients.pop()?.destroy();
  sessions.pop();
  const late = new CloudWatchLogsClient({ ...server.client(), disableHostPrefix: true });
  clients.push(late);
  sessions.push(await untilThereIsRoom(late));
  clock.leap(3 * 3_600_000);
  await Promise.all(
    sessions.map((session) =>
      assert.rejects(async () => {
        for (;;) if ((await session.next()).done) return;
      }, SessionTimeoutException),
    ),
  );
  const next = await begin();
  await next.return?.();
  for (const client of clients) client.destroy();
});

test("StartLiveTail shows what several groups take in, each with its group, and not what its pattern leaves out", async () => {
  const events = await begin();
  const put = (logGroupName: string, wanted: boolean) => {
    const logEvents = [{ timestamp: clock.now(), message: JSON.stringify({ wanted, from: logGroupName }) }];
    return logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: "s", logEvents }));
  };
  await put("one", true);
  await put("one", false);
  await put("two", true);
  const seen: (string | undefined)[][] = [];
  while (seen.length < 2) {
    const { value } = (await events.next()) as { value: StartLiveTailResponseStream };
    for (const one of value.sessionUpdate?.sessionResults ?? [])
      seen.push([one.logGroupIdentifier, one.message]);
  }
  await events.return?.();
  assert.deepEqual(seen, [
    [ARNS[0], '{"wanted":true,"from":"one"}'],
    [ARNS[1], '{"wanted":true,"from":"two"}'],
  ]);
});

test("StartLiveTail refuses streams of several groups, identifiers that are no ARNs, and wrong patterns", async () => {
  const refuses = (more: object, message: RegExp) =>
    assert.rejects(logs.send(new StartLiveTailCommand({ logGroupIdentifiers: ARNS, ...more })), {
      name: "InvalidParameterException",
      message,
    });
  await refuses({ logStreamNames: ["s"] }, /only with a single log group/);
  await refuses({ logGroupIdentifiers: ["one"] }, /is not the ARN of a log group/);
  await refuses({ logGroupIdentifiers: [`${ARNS[0]}:*`] }, /Member must satisfy regular expression pattern/);
  await refuses({ logEventFilterPattern: "{ $.a" }, /^Invalid filter pattern$/);
  const both = { logStreamNames: ["s"], logStreamNamePrefixes: ["s"] };
  await refuses({ logGroupIdentifiers: ARNS.slice(0, 1), ...both }, /mutually exclusive/);
});

test(
  "StartLiveTail shows what another server on the same PostgreSQL takes in, in new streams too",
  { skip: postgresMissing() },
  async () => {
    const postgres = await startPostgres();
    const config = {
      databaseUrl: await postgres.newDatabase(),
      sandbox: "process",
      logLevel: "error",
    } as const;
    const one = await startServer(config);
    const two = await startServer(config);
    const [writer, reader] = [one, two].map(
      (each) => new CloudWatchLogsClient({ ...each.client(), disableHostPrefix: true }),
    );
    assert.ok(writer && reader);
    const put = async (logStreamName: string, from: string) => {
      const logEvents = [{ timestamp: Date.now(), message: JSON.stringify({ wanted: true, from }) }];
      await writer.send(new PutLogEventsCommand({ logGroupName: "one", logStreamName, logEvents }));
    };
    try {
      await writer.send(new CreateLogGroupCommand({ logGroupName: "one" }));
      await writer.send(new CreateLogStreamCommand({ logGroupName: "one", logStreamName: "s" }));
      await put("s", "before");
      const session = await begin(ARNS.slice(0, 1), reader);
      await put("s", "known");
      await writer.send(new CreateLogStreamCommand({ logGroupName: "one", logStreamName: "late" }));
      await put("late", "new");
      const seen: (string | undefined)[] = [];
      while (seen.length < 2) {
        const { value } = (await session.next()) as { value: StartLiveTailResponseStream };
        for (const event of value.sessionUpdate?.sessionResults ?? [])
          seen.push(`${event.logStreamName} ${event.message}`);
      }
      assert.deepEqual(
        new Set(seen),
        new Set(['late {"wanted":true,"from":"new"}', 's {"wanted":true,"from":"known"}']),
      );
      await session.return?.();
    } finally {
      writer.destroy();
      reader.destroy();
      await two.stop();
      await one.stop();
      await postgres.stop();
    }
  },
);
