/** What PutEvents has answered is on its way after `kill -9`: no event is lost, and those of one request come together. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  CreateArchiveCommand,
  DescribeArchiveCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { queuePolicy } from "../harness/eventbridge.ts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";
import { queueAt } from "../harness/sqs.ts";

const WRITING_MS = 700;
const WRITERS = 6;
const PER_REQUEST = 3;
const QUEUES = ["first", "second"];
const arnOf = (queue: string) => `arn:aws:sqs:us-east-1:000000000000:${queue}`;

/** A rule with two queues as targets, and an archive. */
async function prepare(events: EventBridgeClient, sqs: SQSClient): Promise<void> {
  for (const QueueName of QUEUES)
    await sqs.send(
      new CreateQueueCommand({ QueueName, Attributes: { Policy: queuePolicy(arnOf(QueueName)) } }),
    );
  await events.send(new PutRuleCommand({ Name: "all", EventPattern: '{"source":["crash"]}' }));
  const Targets = QUEUES.map((Id) => ({ Id, Arn: arnOf(Id), InputPath: "$.detail.id" }));
  await events.send(new PutTargetsCommand({ Rule: "all", Targets }));
  const EventSourceArn = "arn:aws:events:us-east-1:000000000000:event-bus/default";
  await events.send(new CreateArchiveCommand({ ArchiveName: "all", EventSourceArn }));
}

/** Puts events until the server is gone; answers the ids in those that were answered. */
async function write(events: EventBridgeClient, writer: number): Promise<string[]> {
  const answered: string[] = [];
  try {
    for (let at = 0; ; at++) {
      const ids = Array.from({ length: PER_REQUEST }, (_, n) => `${writer}-${at}-${n}`);
      const Entries = ids.map((id) => ({ Source: "crash", DetailType: "t", Detail: JSON.stringify({ id }) }));
      const { FailedEntryCount } = await events.send(new PutEventsCommand({ Entries }));
      assert.equal(FailedEntryCount, 0);
      answered.push(...ids);
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return answered;
  }
}

test("PutEvents: what was answered is with both targets and in the archive after kill -9, once", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-events-"));
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  let server = await spawnServer(flags);
  try {
    let events = new EventBridgeClient(clientOptions(server.endpoint));
    let sqs = new SQSClient(clientOptions(server.endpoint));
    await prepare(events, sqs);
    const writing = Array.from({ length: WRITERS }, (_, writer) => write(events, writer));
    await setTimeout(WRITING_MS);
    await server.kill();
    const answered = (await Promise.all(writing)).flat();
    assert.ok(answered.length > WRITERS * PER_REQUEST);
    for (const client of [events, sqs]) client.destroy();
    server = await spawnServer(flags);
    [events, sqs] = [
      new EventBridgeClient(clientOptions(server.endpoint)),
      new SQSClient(clientOptions(server.endpoint)),
    ];
    const found: string[][] = [];
    for (const name of QUEUES) {
      const queue = queueAt(sqs, `${server.endpoint}/000000000000/${name}`);
      const ids: string[] = [];
      for (let some; (some = await queue.bodies()).length > 0;)
        ids.push(...some.map((one) => JSON.parse(one) as string));
      found.push(ids.sort());
    }
    assert.deepEqual(found[0], found[1], "both targets, or none");
    const kept = new Set(found[0]);
    assert.equal(kept.size, found[0]?.length, "once");
    assert.deepEqual(
      answered.filter((id) => !kept.has(id)),
      [],
    );
    assert.equal(kept.size % PER_REQUEST, 0, "requests whole");
    const archive = await events.send(new DescribeArchiveCommand({ ArchiveName: "all" }));
    assert.equal(archive.EventCount, kept.size);
    for (const client of [events, sqs]) client.destroy();
  } finally {
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  }
});
