/** EventBridge on PostgreSQL, with two servers on one database: rules of the one hold on the other, and nothing happens twice. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  CreateArchiveCommand,
  DescribeArchiveCommand,
  DescribeReplayCommand,
  PutRuleCommand,
  PutTargetsCommand,
  StartReplayCommand,
} from "@aws-sdk/client-eventbridge";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { changeWhilePutting, startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import type { TestPostgres } from "../harness/postgres.ts";

/** How long another server's change may go unseen, and some more. */
const STALE_MS = 1_100;

describe("EventBridge on PostgreSQL", { skip: postgresMissing() }, () => {
  const clock = new MovableClock();
  let postgres: TestPostgres;
  let one: EventSetting;
  let two: EventSetting;
  before(async () => {
    postgres = await startPostgres();
    const databaseUrl = await postgres.newDatabase();
    one = await startEvents({ databaseUrl, clock });
    two = await startEvents({ databaseUrl, clock });
  });
  after(async () => {
    await one?.stop();
    await two?.stop();
    await postgres?.stop();
  });

  test("PutEvents at both servers, by rules of the one, into its archive; a replay runs once", async () => {
    const queue = await one.queue();
    const EventBusName = await one.bus();
    await two.put({ EventBusName });
    await one.rule({ EventBusName, EventPattern: '{"source":["test.app"]}' }, { Arn: queue.arn });
    const EventSourceArn = `arn:aws:events:us-east-1:000000000000:event-bus/${EventBusName}`;
    await one.client.send(new CreateArchiveCommand({ ArchiveName: "both", EventSourceArn }));
    await setTimeout(STALE_MS);
    const ids = (
      await Promise.all(
        Array.from({ length: 10 }, (_, n) => (n % 2 ? one : two).put({ EventBusName }, { EventBusName })),
      )
    ).flat();
    const received = async () => {
      const all: string[] = [];
      for (;;) {
        const messages = await queue.receive();
        if (messages.length === 0) return all.sort();
        await queue.delete(...messages);
        all.push(...messages.map(({ Body = "" }) => (JSON.parse(Body) as { id: string }).id));
      }
    };
    assert.deepEqual(await received(), ids.sort());
    const archive = await two.client.send(new DescribeArchiveCommand({ ArchiveName: "both" }));
    assert.equal(archive.EventCount, ids.length);
    await two.client.send(
      new StartReplayCommand({
        ReplayName: "again",
        EventSourceArn: archive.ArchiveArn,
        EventStartTime: new Date(clock.now() - 60_000),
        EventEndTime: new Date(clock.now() + 60_000),
        Destination: { Arn: EventSourceArn },
      }),
    );
    const describeReplay = () => one.client.send(new DescribeReplayCommand({ ReplayName: "again" }));
    for (let tries = 0; tries < 200 && !(await describeReplay()).ReplayEndTime; tries++) await setTimeout(30);
    assert.equal((await describeReplay()).State, "COMPLETED");
    assert.deepEqual(await received(), ids);
  });

  test("a rule's changes hold from the next event on where they were made, while others put events too", async () => {
    assert.deepEqual(await changeWhilePutting(one, 10), [...Array(10).keys()]);
  });

  test("PutRule with a schedule: two servers, one event at a time", async () => {
    const queue = await one.queue();
    await one.client.send(new PutRuleCommand({ Name: "tick", ScheduleExpression: "rate(1 minute)" }));
    await two.client.send(new PutTargetsCommand({ Rule: "tick", Targets: [{ Id: "q", Arn: queue.arn }] }));
    const times: string[] = [];
    for (let minute = 0; minute < 4; minute++) {
      await clock.advance(60_000);
      for (let tries = 0; tries < 200 && times.length <= minute; tries++) {
        await setTimeout(50);
        const messages = await queue.receive();
        await queue.delete(...messages);
        times.push(...messages.map(({ Body = "" }) => (JSON.parse(Body) as { time: string }).time));
      }
    }
    await setTimeout(200);
    times.push(...(await queue.bodies()));
    assert.equal(times.length, 4);
    assert.equal(new Set(times).size, 4);
  });
});
