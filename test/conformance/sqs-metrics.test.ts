/** What CloudWatch tells of queues, as `/_lambent/metrics` tells it. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DeleteQueueCommand } from "@aws-sdk/client-sqs";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { queueAt, startSqs } from "../harness/sqs.ts";
import type { SqsSetting } from "../harness/sqs.ts";

const clock = new MovableClock();
let dataDir: string;
let setting: SqsSetting;
before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  setting = await startSqs({ clock, dataDir });
});
after(async () => {
  await setting.stop();
  await rm(dataDir, { recursive: true });
});

/** The metrics of a queue, without their first `aws_sqs_`. */
async function metricsOf({ name }: { readonly name: string }): Promise<Record<string, number>> {
  const text = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
  const labels = `{account="000000000000",region="us-east-1",queue_name="${name}"}`;
  const lines = text.split("\n").filter((line) => line.startsWith("aws_sqs_") && line.includes(labels));
  return Object.fromEntries(
    lines.map((line) => [line.slice("aws_sqs_".length, line.indexOf("{")), Number(line.split(" ").at(-1))]),
  );
}

test("messages that are sent, received and deleted are counted, and so is what is left", async () => {
  const queue = await setting.queue();
  await queue.send("four");
  await queue.sendAll(["a", "b", "c"]);
  await queue.send("later", { DelaySeconds: 100 });
  const [first, second] = await queue.receive({ MaxNumberOfMessages: 2 });
  assert.ok(first && second);
  await queue.delete(first);
  await queue.receive();
  await queue.receive();
  await clock.advance(7_000);
  assert.deepEqual(await metricsOf(queue), {
    number_of_messages_sent_total: 5,
    sent_message_size_sum: 12,
    sent_message_size_count: 5,
    sent_message_size_max: 5,
    number_of_messages_received_total: 4,
    number_of_empty_receives_total: 1,
    number_of_messages_deleted_total: 1,
    approximate_number_of_messages_visible: 0,
    approximate_number_of_messages_not_visible: 3,
    approximate_number_of_messages_delayed: 1,
    approximate_age_of_oldest_message: 7,
  });
});

test("FIFO queues tell duplicates and the groups at work; expired handles delete nothing", async () => {
  const queue = await setting.queue({ FifoQueue: "true", ContentBasedDeduplication: "true" });
  await queue.sendAll(["a", "b", "a"], "g");
  await queue.send("c", { MessageGroupId: "h" });
  const messages = await queue.receive({ VisibilityTimeout: 5 });
  assert.equal(messages.length, 3);
  const before = await metricsOf(queue);
  assert.deepEqual(
    [before["number_of_messages_sent_total"], before["number_of_deduplicated_sent_messages_total"]],
    [3, 1],
  );
  assert.equal(before["approximate_number_of_groups_with_inflight_messages"], 2);
  await clock.advance(6_000);
  await assert.rejects(queue.delete(...messages), /expired/);
  assert.equal((await metricsOf(queue))["number_of_messages_deleted_total"], undefined);
});

test("a queue is told of after a restart, and no longer than six hours unused, or until it is deleted", async () => {
  const queue = await setting.queue();
  await queue.sendAll(["a", "b"]);
  const other = await setting.queue();
  await setting.stop();
  setting = await startSqs({ clock, dataDir });
  assert.equal((await metricsOf(queue))["approximate_number_of_messages_visible"], 2);
  assert.equal((await metricsOf(other))["approximate_number_of_messages_visible"], 0);
  await clock.leap(6 * 3_600_000);
  const [message] = await queueAt(setting.client, queue.url).receive();
  assert.ok(message);
  await clock.leap(120_000);
  assert.equal((await metricsOf(queue))["approximate_number_of_messages_visible"], 2);
  await setting.client.send(new DeleteQueueCommand({ QueueUrl: queue.url }));
  await clock.leap(180_000);
  // The last that was told of it is no longer of this minute or the last.
  assert.equal((await metricsOf(queue))["approximate_number_of_messages_visible"], 0);
});
