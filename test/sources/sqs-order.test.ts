/** Queues as event sources: order in FIFO queues, how much runs at once, what is counted, and what a restart leaves. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { DeleteQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startServer } from "../harness/server.ts";
import { queues, startSources, until } from "./queue-setting.ts";
import type { SourcesSetting } from "./queue-setting.ts";

let setting: SourcesSetting;
before(async () => {
  setting = await startSources();
});
after(async () => setting?.stop());

/** Notes when it began and ended. */
const TIMED = `note({ at: "begin", bodies: event.Records.map(({ body }) => body) });
  await new Promise((resolve) => setTimeout(resolve, 20));
  note({ at: "end", bodies: event.Records.map(({ body }) => body) });`;
interface Timed {
  readonly at: "begin" | "end";
  readonly bodies: readonly string[];
}

/** Most batches that ran at once. */
function peakOf(notes: readonly Timed[]): number {
  let running = 0;
  return Math.max(...notes.map(({ at }) => (running += at === "begin" ? 1 : -1)));
}

const handled = (count: number) => (notes: readonly Timed[]) =>
  notes.filter(({ at }) => at === "end").flatMap(({ bodies }) => bodies).length >= count;

test("messages of one group of a FIFO queue are handled in order, those of several at once", async () => {
  const queue = await setting.queue("order.fifo", { VisibilityTimeout: "30" });
  const bodies = Array.from({ length: 40 }, (_, at) => `${"abcd"[at % 4]} ${Math.floor(at / 4)}`);
  await setting.send(queue, bodies, (body) => ({ MessageGroupId: body.split(" ")[0] }));
  const name = await setting.consumer(TIMED);
  await setting.map(name, queue, { BatchSize: 2 });
  const notes = await setting.noted<Timed>(name, handled(40));
  for (const group of "abcd") {
    const order = notes
      .filter(({ at }) => at === "begin")
      .flatMap(({ bodies: some }) => some)
      .filter((body) => body.startsWith(group))
      .map((body) => Number(body.split(" ")[1]));
    assert.deepEqual(
      order,
      Array.from({ length: 10 }, (_, at) => at),
      `group ${group}`,
    );
  }
  const peak = peakOf(notes);
  assert.ok(peak > 1 && peak <= 4, `${peak} batches at once for four groups`);
});

test("a message of a FIFO queue has its group, deduplication and place, and among the dead letters where it died", async () => {
  const dead = await setting.queue("shape-dead.fifo");
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
  const queue = await setting.queue("shape.fifo", { RedrivePolicy });
  const NOTE_ATTRIBUTES = "note(event.Records[0].attributes);";
  const failing = await setting.consumer(`${NOTE_ATTRIBUTES} throw new Error("on purpose");`);
  const burying = await setting.consumer(NOTE_ATTRIBUTES);
  await setting.map(failing, queue);
  await setting.map(burying, dead);
  await setting.send(queue, ["m"], () => ({ MessageGroupId: "g", MessageDeduplicationId: "d" }));
  const [first] = await setting.noted<Record<string, string>>(failing, 1);
  const { SenderId, SentTimestamp, ApproximateFirstReceiveTimestamp, SequenceNumber, ...rest } = first ?? {};
  assert.deepEqual(rest, { ApproximateReceiveCount: "1", MessageGroupId: "g", MessageDeduplicationId: "d" });
  assert.match(SequenceNumber ?? "", /^\d{20}$/);
  assert.ok(SenderId && Number(SentTimestamp) <= Number(ApproximateFirstReceiveTimestamp));
  const [buried] = await setting.noted<Record<string, string>>(burying, 1);
  assert.deepEqual([buried?.["DeadLetterQueueSourceArn"], buried?.["MessageGroupId"]], [queue.arn, "g"]);
});

test("a message that fails holds up its group, and no other", async () => {
  const queue = await setting.queue("blocked.fifo");
  const name = await setting.consumer(`
    const [{ body, attributes }] = event.Records;
    note(body + " " + attributes.ApproximateReceiveCount);
    if (body === "a0" && attributes.ApproximateReceiveCount === "1") throw new Error("once");`);
  await setting.map(name, queue, { BatchSize: 1 });
  await setting.send(queue, ["a0", "a1", "b0", "b1"], (body) => ({ MessageGroupId: body[0] }));
  const notes = await setting.noted<string>(name, 5);
  assert.deepEqual(
    notes.filter((note) => note.startsWith("a")),
    ["a0 1", "a0 2", "a1 1"],
  );
  assert.ok(notes.indexOf("b1 1") < notes.indexOf("a0 2"), notes.join(", "));
});

test("MaximumConcurrency bounds how many batches run at once", async () => {
  const queue = await setting.queue("bounded", { VisibilityTimeout: "30" });
  await setting.send(
    queue,
    Array.from({ length: 30 }, (_, at) => String(at)),
  );
  const name = await setting.consumer(TIMED);
  const uuid = await setting.map(name, queue, { BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } });
  assert.equal(peakOf(await setting.noted<Timed>(name, handled(30))), 2);
  await setting.lambda.send(new UpdateEventSourceMappingCommand({ UUID: uuid, ScalingConfig: {} }));
  await until(async () => (await setting.mapping(uuid)).State === "Enabled");
  assert.equal((await setting.mapping(uuid)).ScalingConfig, undefined);
});

test("a standard queue begins with five batches at once", async () => {
  const queue = await setting.queue("five", { VisibilityTimeout: "30" });
  await setting.send(
    queue,
    Array.from({ length: 20 }, (_, at) => String(at)),
  );
  const name = await setting.consumer(TIMED.replace("20", "300"));
  await setting.map(name, queue, { BatchSize: 1 });
  const notes = await setting.noted<Timed>(name, handled(5));
  assert.ok(peakOf(notes.slice(0, 5)) <= 5);
  assert.equal(peakOf(notes), 5);
});

test("events are counted where MetricsConfig asks for it", async () => {
  const queue = await setting.queue("counted");
  await setting.send(queue, ["good", "good", "other", "bad"]);
  const name = await setting.consumer(`if (event.Records[0].body === "bad") throw new Error("bad");`);
  const Filters = [{ Pattern: '{"body":["good","bad"]}' }];
  const uuid = await setting.map(name, queue, {
    BatchSize: 1,
    FilterCriteria: { Filters },
    MetricsConfig: { Metrics: ["EventCount"] },
  });
  const values = async () => {
    const text = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
    const of = (metric: string) =>
      Number(new RegExp(`^aws_lambda_${metric}_total\\{[^}]*${uuid}[^}]*\\} (\\d+)`, "m").exec(text)?.[1]);
    return ["polled", "filtered_out", "invoked", "failed_invoke", "deleted"].map((one) =>
      of(`${one}_event_count`),
    );
  };
  // Each batch is counted when it ends, in no order.
  await until(async () => {
    const [, , invoked = 0, failed, deleted] = await values();
    return invoked >= 3 && failed === 1 && deleted === 2;
  });
  const [polled = 0, filteredOut, invoked = 0, failed, deleted] = await values();
  assert.ok(polled >= 4 && invoked >= 3);
  assert.deepEqual([filteredOut, failed, deleted], [1, 1, 2]);
});

test("provisioned pollers have AWS's defaults, and their number is told", async () => {
  const queue = await setting.queue("provisioned");
  const name = await setting.consumer("note(1);");
  const uuid = await setting.map(name, queue, { ProvisionedPollerConfig: { MinimumPollers: 3 } });
  assert.deepEqual((await setting.mapping(uuid)).ProvisionedPollerConfig, {
    MinimumPollers: 3,
    MaximumPollers: 200,
  });
  const text = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
  assert.match(text, new RegExp(`^aws_lambda_provisioned_pollers\\{[^}]*"${uuid}"\\} 3$`, "m"));
});

test("a mapping goes on after a restart, one that is disabled stays so, and one whose queue is gone says it", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-sources-"));
  const first = await startSources({ dataDir });
  const [on, off, gone] = [await first.queue("on"), await first.queue("off"), await first.queue("gone")];
  const name = await first.consumer("note(event.Records[0].body);");
  await first.map(name, on);
  const disabled = await first.map(name, off);
  const orphaned = await first.map(name, gone);
  await first.lambda.send(new UpdateEventSourceMappingCommand({ UUID: disabled, Enabled: false }));
  await until(async () => (await first.mapping(disabled)).State === "Disabled");
  await first.send(on, ["before"]);
  await first.noted(name, 1);
  await first.sqs.send(new DeleteQueueCommand({ QueueUrl: gone.url }));
  await first.server.stop();
  const second = await startServer({ dataDir, sandbox: "process", logLevel: "error" });
  try {
    const { send, counts } = queues(new SQSClient(second.client()));
    const lambda = new LambdaClient(second.client());
    const mapping = (UUID: string) => lambda.send(new GetEventSourceMappingCommand({ UUID }));
    await send(off, ["unread"]);
    await send(on, ["after"]);
    await first.noted<string>(name, (notes) => notes.includes("after"));
    assert.deepEqual(await first.notes(name), ["before", "after"]);
    assert.equal((await counts(off)).visible, 1);
    await until(async () =>
      /PROBLEM: .*queue does not exist/.test((await mapping(orphaned)).LastProcessingResult ?? ""),
    );
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID: disabled }));
    await assert.rejects(
      until(async () => (await mapping(disabled)).State !== "Deleting"),
      { name: "ResourceNotFoundException" },
    );
  } finally {
    await second.stop();
    await first.tidy();
    await rm(dataDir, { recursive: true, force: true });
  }
});
