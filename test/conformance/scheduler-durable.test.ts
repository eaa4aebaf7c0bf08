/** Schedules through `kill -9`, stops and restarts; and with two servers on one PostgreSQL. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CreateScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { MovableClock } from "../../src/index.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import { spawnServer } from "../harness/process.ts";
import { HOUR_MS, atTime, schedulerRole, startScheduler } from "../harness/scheduler.ts";
import { clientOptions } from "../harness/server.ts";
import { queueAt } from "../harness/sqs.ts";
import type { TestQueue } from "../harness/sqs.ts";

const COME_MS_MAX = 30_000;
/** How long before it is due time passes as it does, in milliseconds. */
const AHEAD_MS = 1_500;

/** All that comes, until nothing has come for a second. */
async function drain(queue: TestQueue, count: number): Promise<string[]> {
  const found: string[] = [];
  const until = Date.now() + COME_MS_MAX;
  for (;;) {
    const messages = await queue.receive({ WaitTimeSeconds: 1 });
    if (messages.length === 0 && (found.length >= count || Date.now() > until)) return found.sort();
    found.push(...messages.map(({ Body = "" }) => Body));
    await queue.delete(...messages);
  }
}

test("schedules survive kill -9; what was missed comes once, late, unless it is older than its event may be", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-scheduler-"));
  const flags = ["--dev", "--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  let server = await spawnServer(flags);
  try {
    let options = clientOptions(server.endpoint);
    const RoleArn = await schedulerRole(options, "durable");
    for (const QueueName of ["q", "dead"])
      await new SQSClient(options).send(new CreateQueueCommand({ QueueName }));
    const arn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
    const client = new SchedulerClient(options);
    const create = (
      Name: string,
      ScheduleExpression: string,
      MaximumEventAgeInSeconds: number,
      more = {},
    ) => {
      const RetryPolicy = { MaximumEventAgeInSeconds };
      const DeadLetterConfig = { Arn: arn("dead") };
      const Input = `${Name} <aws.scheduler.scheduled-time>`;
      const Target = { Arn: arn("q"), RoleArn, Input, RetryPolicy, DeadLetterConfig };
      const rest = { ScheduleExpression, Target, FlexibleTimeWindow: { Mode: "OFF" as const }, ...more };
      return client.send(new CreateScheduleCommand({ Name, ...rest }));
    };
    const now = Date.now();
    const time = (ms: number) => new Date(Math.floor(ms / 1_000) * 1_000).toISOString().replace(".000", "");
    const StartDate = new Date(Math.floor(now / 1_000) * 1_000 + HOUR_MS);
    await create("late", atTime(now + HOUR_MS), 86_400);
    await create("too-late", atTime(now + HOUR_MS), 3_600);
    await create("hourly", "rate(1 hour)", 2 * 3_600 + 60, { StartDate });
    await server.kill();
    // Five hours pass while nobody serves.
    await writeFile(join(dataDir, "clock.json"), JSON.stringify({ aheadMs: 5 * HOUR_MS + 120_000 }));
    server = await spawnServer(flags);
    options = clientOptions(server.endpoint);
    const queue = (name: string) =>
      queueAt(new SQSClient(options), `${server.endpoint}/000000000000/${name}`);
    const hour = (n: number) => `hourly ${time(now + n * HOUR_MS)}`;
    assert.deepEqual(await drain(queue("q"), 3), [hour(4), hour(5), `late ${time(now + HOUR_MS)}`]);
    const letters = await drain(queue("dead"), 2);
    assert.deepEqual(letters, [hour(1), `too-late ${time(now + HOUR_MS)}`]);
    await server.kill();
    server = await spawnServer(flags);
    options = clientOptions(server.endpoint);
    assert.deepEqual(await queue("q").bodies(), [], "nothing comes a second time");
  } finally {
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  }
});

test("operations by their names survive kill -9: each is done at least once", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-scheduler-"));
  const flags = ["--dev", "--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  let server = await spawnServer(flags);
  try {
    const RoleArn = await schedulerRole(clientOptions(server.endpoint), "operations");
    const sqs = new SQSClient(clientOptions(server.endpoint));
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: "q" }));
    const client = new SchedulerClient(clientOptions(server.endpoint));
    const soon = atTime(Date.now() + 3_000);
    const names = Array.from({ length: 60 }, (_, n) => `operation-${String(n).padStart(2, "0")}`);
    await Promise.all(
      names.map((Name) => {
        // A delay makes it a call, not a hand-over.
        const Input = JSON.stringify({ QueueUrl, MessageBody: Name, DelaySeconds: 1 });
        const Target = { Arn: "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", RoleArn, Input };
        const rest = { ScheduleExpression: soon, Target, FlexibleTimeWindow: { Mode: "OFF" as const } };
        return client.send(new CreateScheduleCommand({ Name, ...rest }));
      }),
    );
    // Killed while some are done, and others wait.
    const first = queueAt(sqs, QueueUrl);
    const seen = new Set((await first.receive({ WaitTimeSeconds: 10 })).map(({ Body = "" }) => Body));
    await server.kill();
    assert.ok(seen.size > 0);
    server = await spawnServer(flags);
    const queue = queueAt(new SQSClient(clientOptions(server.endpoint)), `${server.endpoint}/000000000000/q`);
    const rest = await drain(queue, names.length - seen.size);
    assert.deepEqual([...new Set([...seen, ...rest])].sort(), names);
  } finally {
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  }
});

test(
  "two servers on one PostgreSQL invoke each schedule once, whichever of them looks",
  { skip: postgresMissing() },
  async () => {
    const postgres = await startPostgres();
    const databaseUrl = await postgres.newDatabase();
    const clock = new MovableClock();
    const shared = { databaseUrl, clock, dev: "off" as const };
    const one = await startScheduler(shared);
    const two = await startScheduler({ ...shared, dataDir: undefined }).catch(async (error: unknown) => {
      await one.stop();
      throw error;
    });
    try {
      const queue = await one.queue();
      const all = Array.from({ length: 40 }, (_, n) => `schedule ${String(n).padStart(2, "0")}`);
      const hour = Math.ceil(clock.now() / 1_000) * 1_000 + HOUR_MS;
      await Promise.all(all.map((Input) => one.create(atTime(hour), { Arn: queue.arn, Input })));
      const StartDate = new Date(hour);
      await one.create("rate(1 hour)", { Arn: queue.arn, Input: "rate" }, { StartDate });
      // Both see it come, as time passes.
      await clock.leap(hour - AHEAD_MS - clock.now());
      assert.deepEqual(await drain(queue, 41), ["rate", ...all]);
      await clock.leap(hour + HOUR_MS - AHEAD_MS - clock.now());
      assert.deepEqual(await drain(queue, 1), ["rate"]);
    } finally {
      await two.stop();
      await one.stop();
      await postgres.stop();
    }
  },
);
