/** Archives and replays: what is kept, for how long, and how it comes again. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CancelReplayCommand,
  CreateArchiveCommand,
  DeleteArchiveCommand,
  DescribeArchiveCommand,
  DescribeReplayCommand,
  ListArchivesCommand,
  ListReplaysCommand,
  StartReplayCommand,
  UpdateArchiveCommand,
} from "@aws-sdk/client-eventbridge";
import type { EventBridgeClient, StartReplayCommandInput } from "@aws-sdk/client-eventbridge";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { refusal, startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";

const DAY_MS = 86_400_000;
const clock = new MovableClock();
let setting: EventSetting;
let client: EventBridgeClient;
before(async () => {
  setting = await startEvents({ clock });
  ({ client } = setting);
});
after(() => setting.stop());

const busArn = (name: string) => `arn:aws:events:us-east-1:000000000000:event-bus/${name}`;
const archiveArn = (name: string) => `arn:aws:events:us-east-1:000000000000:archive/${name}`;
const PATTERN = '{"detail":{"keep":[true]}}';

/** A bus with an archive of its name. */
async function archived(settings: { EventPattern?: string; RetentionDays?: number } = {}): Promise<string> {
  const name = await setting.bus();
  await client.send(
    new CreateArchiveCommand({ ArchiveName: name, EventSourceArn: busArn(name), ...settings }),
  );
  return name;
}

const describeArchive = async (ArchiveName: string) => {
  const { $metadata: _, ...found } = await client.send(new DescribeArchiveCommand({ ArchiveName }));
  return found;
};

function replay(ReplayName: string, bus: string, more: Partial<StartReplayCommandInput> = {}) {
  return client.send(
    new StartReplayCommand({
      ReplayName,
      EventSourceArn: archiveArn(bus),
      EventStartTime: new Date(clock.now() - 3_600_000),
      EventEndTime: new Date(clock.now() + 3_600_000),
      Destination: { Arn: busArn(bus) },
      ...more,
    }),
  );
}

async function ended(ReplayName: string) {
  for (let tries = 0; tries < 200; tries++) {
    const found = await client.send(new DescribeReplayCommand({ ReplayName }));
    if (found.ReplayEndTime) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${ReplayName} does not end`);
}

test("CreateArchive, DescribeArchive, UpdateArchive, ListArchives and DeleteArchive", async () => {
  const name = await archived({ EventPattern: PATTERN, RetentionDays: 3 });
  await setting.put({ EventBusName: name, Detail: '{"keep":true}' }, { EventBusName: name });
  const { CreationTime, SizeBytes = 0, ...rest } = await describeArchive(name);
  assert.ok(CreationTime && SizeBytes > 150 && SizeBytes < 300);
  const told = { ArchiveName: name, EventSourceArn: busArn(name), State: "ENABLED", EventCount: 1 };
  assert.deepEqual(rest, { ...told, ArchiveArn: archiveArn(name), EventPattern: PATTERN, RetentionDays: 3 });
  const updated = await client.send(
    new UpdateArchiveCommand({ ArchiveName: name, Description: "all", EventPattern: "", RetentionDays: 0 }),
  );
  assert.equal(updated.ArchiveArn, archiveArn(name));
  await setting.put({ EventBusName: name });
  const { Description, EventPattern, EventCount, RetentionDays } = await describeArchive(name);
  assert.deepEqual([Description, EventPattern, EventCount, RetentionDays], ["all", undefined, 2, 0]);
  const list = async (input: object) =>
    (await client.send(new ListArchivesCommand(input))).Archives?.map(({ ArchiveName }) => ArchiveName);
  assert.deepEqual(await list({ NamePrefix: name }), [name]);
  assert.deepEqual(await list({ EventSourceArn: busArn(name) }), [name]);
  assert.deepEqual(await list({ State: "DISABLED" }), []);
  await client.send(new DeleteArchiveCommand({ ArchiveName: name }));
  assert.deepEqual(await list({ NamePrefix: name }), []);
});

test("what is wrong with a request about an archive is told in AWS's words", async () => {
  const name = await archived();
  const create = (input: object) =>
    refusal(
      client.send(new CreateArchiveCommand({ ArchiveName: name, EventSourceArn: busArn(name), ...input })),
    );
  assert.equal(await create({}), `ResourceAlreadyExistsException: Archive ${name} already exists.`);
  assert.equal(
    await create({ EventSourceArn: busArn("nothing") }),
    "ResourceNotFoundException: Event bus nothing does not exist.",
  );
  assert.match(await create({ EventPattern: "{}" }), /^InvalidEventPatternException: .*Empty objects/);
  assert.match(await create({ KmsKeyIdentifier: "alias/k" }), /^NotImplemented: .*alias\/k/);
  assert.equal(
    await refusal(describeArchive("nothing")),
    "ResourceNotFoundException: Archive nothing does not exist.",
  );
  assert.match(
    await refusal(client.send(new ListArchivesCommand({ NamePrefix: "a", State: "ENABLED" }))),
    /^ValidationException: At most one filter is allowed for ListArchives/,
  );
});

test("StartReplay, DescribeReplay and ListReplays: kept events come again, once, to the rules that are named", async () => {
  const name = await archived();
  const [queue, other] = [await setting.queue(), await setting.queue()];
  const Name = await setting.rule(
    { EventBusName: name, EventPattern: '{"source":["test.app"]}' },
    { Arn: queue.arn },
  );
  await setting.rule({ EventBusName: name, EventPattern: '{"source":["test.app"]}' }, { Arn: other.arn });
  const ids: string[] = [];
  for (let n = 0; n < 6; n++)
    ids.push(...(await setting.put(...Array.from({ length: 10 }, () => ({ EventBusName: name })))));
  const drain = async (from: typeof queue) => {
    const all: { id: string; "replay-name"?: string }[] = [];
    for (;;) {
      const messages = await from.receive();
      if (messages.length === 0) return all;
      await from.delete(...messages);
      all.push(...messages.map(({ Body = "" }) => JSON.parse(Body) as { id: string }));
    }
  };
  assert.equal((await drain(queue)).length, 60);
  assert.equal((await drain(other)).length, 60);
  const FilterArns = [`arn:aws:events:us-east-1:000000000000:rule/${name}/${Name}`];
  const started = await replay("again", name, {
    Destination: { Arn: busArn(name), FilterArns },
    Description: "d",
  });
  assert.equal(started.ReplayArn, "arn:aws:events:us-east-1:000000000000:replay/again");
  assert.equal(started.State, "STARTING");
  const found = await ended("again");
  assert.equal(found.State, "COMPLETED");
  assert.equal(found.Description, "d");
  assert.equal(found.EventSourceArn, archiveArn(name));
  assert.deepEqual(found.Destination, { Arn: busArn(name), FilterArns });
  assert.ok(found.EventLastReplayedTime);
  const again = await drain(queue);
  assert.deepEqual(again.map(({ id }) => id).sort(), ids.sort());
  assert.ok(again.every((event) => event["replay-name"] === "again"));
  assert.deepEqual(await drain(other), []);
  assert.equal((await describeArchive(name)).EventCount, 60, "what is replayed is not kept again");
  const list = async (input: object) =>
    (await client.send(new ListReplaysCommand(input))).Replays?.map(({ ReplayName }) => ReplayName);
  assert.deepEqual(await list({ EventSourceArn: archiveArn(name) }), ["again"]);
  assert.deepEqual(await list({ State: "RUNNING" }), []);
});

test("a replay takes the events of its time only; a wrong one is refused in AWS's words", async () => {
  const name = await archived();
  const queue = await setting.queue();
  await setting.rule(
    { EventBusName: name, EventPattern: '{"detail":{"n":[{"exists":true}]}}' },
    { Arn: queue.arn },
  );
  const times: number[] = [];
  for (const n of [1, 2, 3]) {
    await clock.advance(60_000);
    times.push(clock.now());
    await setting.put({ EventBusName: name, Detail: `{"n":${n}}` });
  }
  await queue.delete(...(await queue.receive()));
  const [, second = 0, third = 0] = times;
  await replay("middle", name, { EventStartTime: new Date(second), EventEndTime: new Date(third - 1_000) });
  assert.equal((await ended("middle")).State, "COMPLETED");
  const details = (await queue.bodies()).map(
    (body) => (JSON.parse(body) as { detail: { n: number } }).detail.n,
  );
  assert.deepEqual(details, [2]);
  const start = (input: Partial<StartReplayCommandInput>) => refusal(replay("wrong", name, input));
  assert.equal(
    await refusal(replay("middle", name)),
    "ResourceAlreadyExistsException: Replay middle already exists.",
  );
  assert.equal(
    await start({ EventEndTime: new Date(0) }),
    "ValidationException: Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.",
  );
  assert.equal(
    await start({ EventSourceArn: archiveArn("nothing") }),
    "ValidationException: Parameter EventSourceArn is not valid. Reason: Archive nothing does not exist.",
  );
  assert.equal(
    await start({ Destination: { Arn: busArn("default") } }),
    "ValidationException: Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.",
  );
  assert.equal(
    await refusal(client.send(new DescribeReplayCommand({ ReplayName: "nothing" }))),
    "ResourceNotFoundException: Replay nothing does not exist.",
  );
});

test("CancelReplay ends one that runs, and none that has ended", async () => {
  const name = await archived();
  for (let n = 0; n < 60; n++)
    await setting.put(...Array.from({ length: 10 }, () => ({ EventBusName: name })));
  await replay("long", name);
  const cancelled = await client.send(new CancelReplayCommand({ ReplayName: "long" }));
  assert.equal(cancelled.State, "CANCELLING");
  assert.equal((await ended("long")).State, "CANCELLED");
  assert.equal(
    await refusal(client.send(new CancelReplayCommand({ ReplayName: "long" }))),
    "IllegalStatusException: Replay long is not in a valid state for this operation.",
  );
});

test("events go when the retention of their archive is over, and with their archive", async () => {
  const [short, long] = [await archived({ RetentionDays: 1 }), await archived({ RetentionDays: 3 })];
  await setting.put({ EventBusName: short }, { EventBusName: long });
  const counts = async () => [
    (await describeArchive(short)).EventCount,
    (await describeArchive(long)).EventCount,
  ];
  assert.deepEqual(await counts(), [1, 1]);
  await clock.advance(DAY_MS + 3_600_000);
  for (let tries = 0; tries < 100 && (await counts())[0] !== 0; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(await counts(), [0, 1]);
});
