/** Scheduled rules: rate and cron, what targets get, and what of it is made up after a stop. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  DeleteRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  RemoveTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";
import type { TestQueue } from "../harness/sqs.ts";
import { queueAt } from "../harness/sqs.ts";

const MINUTE_MS = 60_000;
const clock = new MovableClock();
let dataDir: string;
let setting: EventSetting;
before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lambent-schedules-"));
  setting = await startEvents({ clock, dataDir });
});
after(async () => {
  await setting.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Moves the clock by whole minutes, each when what the last one brought is done; a rule that is looked at too late is a missed one. */
async function minutes(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await clock.advance(MINUTE_MS);
    await pause(100);
  }
}

/** What comes within ten seconds. */
async function timesSoon(queue: TestQueue): Promise<string[]> {
  for (let tries = 0; tries < 200; tries++) {
    const found = await times(queue);
    if (found.length > 0) return found;
    await pause(50);
  }
  return [];
}

async function times(queue: TestQueue): Promise<string[]> {
  const messages = await queue.receive();
  await queue.delete(...messages);
  return messages.map(({ Body = "" }) => (JSON.parse(Body) as { time: string }).time);
}

test("PutRule with rate(): the rule runs every so many minutes from when it was made", async () => {
  const queue = await setting.queue();
  const made = clock.now();
  const Name = await setting.rule({ ScheduleExpression: "rate(2 minutes)" }, { Arn: queue.arn });
  await minutes(5);
  const [message, ...more] = await queue.receive();
  const arn = `arn:aws:events:us-east-1:000000000000:rule/${Name}`;
  const { id, time, ...event } = JSON.parse(message?.Body ?? "") as { id: string; time: string };
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.ok(Math.abs(Date.parse(time) - (made + 2 * MINUTE_MS)) < 2_000);
  assert.deepEqual(event, {
    version: "0",
    "detail-type": "Scheduled Event",
    source: "aws.events",
    account: "000000000000",
    region: "us-east-1",
    resources: [arn],
    detail: {},
  });
  assert.equal(more.length, 1);
  assert.equal(await setting.metric("TriggeredRules"), 2);
  await setting.client.send(new RemoveTargetsCommand({ Rule: Name, Ids: ["t0"] }));
  await setting.client.send(new DeleteRuleCommand({ Name }));
});

test("PutRule with cron(): at that minute in UTC, while the rule is enabled", async () => {
  const queue = await setting.queue();
  const [first, second] = [3, 6].map((more) => new Date(clock.now() + more * MINUTE_MS).getUTCMinutes());
  const Name = await setting.rule(
    { ScheduleExpression: `cron(${first},${second} * * * ? *)` },
    { Arn: queue.arn, Input: '{"time":"constant"}' },
  );
  await setting.client.send(new DisableRuleCommand({ Name }));
  await minutes(4);
  assert.deepEqual(await times(queue), []);
  await setting.client.send(new EnableRuleCommand({ Name }));
  await minutes(2);
  assert.deepEqual(await timesSoon(queue), ["constant"]);
});

test("what was missed while no server ran is not made up, but the last minute's; a rate keeps its steps", async () => {
  const queue = await setting.queue();
  const made = clock.now();
  await setting.rule({ ScheduleExpression: "rate(10 minutes)" }, { Arn: queue.arn });
  const { url } = queue;
  await setting.stop();
  await clock.advance(10 * MINUTE_MS + 30_000);
  setting = await startEvents({ clock, dataDir });
  const again = queueAt(setting.sqs, url.replace(/^http:\/\/[^/]+/, setting.server.endpoint));
  const first = await timesSoon(again);
  assert.equal(first.length, 1, "half a minute late");
  assert.ok(Math.abs(Date.parse(first[0] ?? "") - (made + 10 * MINUTE_MS)) < 2_000);
  await setting.stop();
  await clock.advance(35 * MINUTE_MS);
  setting = await startEvents({ clock, dataDir });
  await pause(100);
  const later = queueAt(setting.sqs, url.replace(/^http:\/\/[^/]+/, setting.server.endpoint));
  assert.deepEqual(await times(later), [], "minutes late");
  await clock.advance(made + 50 * MINUTE_MS + 1_000 - clock.now());
  const next = await timesSoon(later);
  assert.equal(next.length, 1);
  assert.ok(Math.abs(Date.parse(next[0] ?? "") - (made + 50 * MINUTE_MS)) < 2_000);
});
