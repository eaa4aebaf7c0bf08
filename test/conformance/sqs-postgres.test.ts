/** SQS on PostgreSQL, with two servers on one database: the same rules, and wake-ups across servers. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  PurgeQueueCommand,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import type { TestPostgres } from "../harness/postgres.ts";
import { queueAt, startSqs } from "../harness/sqs.ts";
import type { SqsSetting, TestQueue } from "../harness/sqs.ts";

describe("SQS on PostgreSQL", { skip: postgresMissing() }, () => {
  let postgres: TestPostgres;
  let one: SqsSetting;
  let two: SqsSetting;
  before(async () => {
    postgres = await startPostgres();
    const databaseUrl = await postgres.newDatabase();
    one = await startSqs({ databaseUrl });
    two = await startSqs({ databaseUrl });
  });
  after(async () => {
    await one?.stop();
    await two?.stop();
    await postgres?.stop();
  });

  /** The same queue through the other server. */
  const onTwo = (queue: TestQueue) =>
    queueAt(two.client, queue.url.replace(one.server.endpoint, two.server.endpoint));

  test("messages are sent, received once by receivers on two servers, hidden and deleted", async () => {
    const queue = await one.queue();
    const all = Array.from({ length: 200 }, (_, n) => String(n));
    await Promise.all([queue.sendAll(all.slice(0, 100)), onTwo(queue).sendAll(all.slice(100))]);
    const got: string[] = [];
    await Promise.all(
      [queue, onTwo(queue), queue, onTwo(queue)].map(async (own) => {
        for (let empty = 0; empty < 3;) {
          const messages = await own.receive();
          if (messages.length === 0) empty += 1;
          got.push(...messages.map(({ Body = "" }) => Body));
          await own.delete(...messages);
        }
      }),
    );
    assert.deepEqual(
      got.toSorted((a, b) => Number(a) - Number(b)),
      all,
    );
    assert.deepEqual(await queue.counts(), [0, 0, 0]);
  });

  test("a noisy group's messages are set aside by two servers, and each is received once", async () => {
    const queue = await one.queue();
    const other = onTwo(queue);
    await queue.sendAll(
      Array.from({ length: 230 }, (_, n) => `a${n}`),
      "a",
    );
    const got = await Promise.all(Array.from({ length: 4 }, (_, n) => (n % 2 ? queue : other).receive()));
    // Longer than what is known of groups is kept for.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await other.sendAll(
      Array.from({ length: 20 }, (_, n) => `b${n}`),
      "b",
    );
    got.push(await queue.receive(), await other.receive());
    assert.ok(got.slice(-2).every((quiet) => quiet.every(({ Body = "" }) => Body.startsWith("b"))));
    await Promise.all(
      [queue, other].map(async (own) => {
        for (let empty = 0; empty < 3;) {
          const messages = await own.receive();
          if (messages.length === 0) empty += 1;
          got.push(messages);
          await own.delete(...messages);
        }
      }),
    );
    const bodies = got.flat().map(({ Body = "" }) => Body);
    assert.deepEqual([bodies.length, new Set(bodies).size], [250, 250]);
    assert.deepEqual((await queue.counts()).slice(0, 2), [0, 60]);
  });

  test("a receiver on one server is woken by a message sent to the other, and by one that becomes visible", async () => {
    const queue = await one.queue();
    const since = performance.now();
    const waiting = queue.bodies({ WaitTimeSeconds: 20 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await onTwo(queue).send("hello");
    assert.deepEqual(await waiting, ["hello"]);
    const late = onTwo(queue).bodies({ WaitTimeSeconds: 20 });
    await queue.send("late", { DelaySeconds: 1 });
    assert.deepEqual(await late, ["late"]);
    assert.ok(performance.now() - since < 10_000);
  });

  test("FIFO: each group in its order and one message of a group at a time, over two servers; duplicates are dropped", async () => {
    const queue = await one.queue({ FifoQueue: "true", ContentBasedDeduplication: "true" });
    const groups = ["a", "b", "c", "d", "e"];
    await Promise.all(
      groups.map((group, i) =>
        (i % 2 ? queue : onTwo(queue)).sendAll(
          Array.from({ length: 12 }, (_, n) => `${group} ${n}`),
          group,
        ),
      ),
    );
    await queue.sendAll(["a 0"], "a");
    const seen = new Map<string, number[]>();
    await Promise.all(
      [queue, onTwo(queue), queue, onTwo(queue)].map(async (own) => {
        for (let empty = 0; empty < 20;) {
          const messages = await own.receive({ MaxNumberOfMessages: 3 });
          if (messages.length === 0) {
            empty += 1;
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          for (const { Body = "" } of messages) {
            const [group = "", n] = Body.split(" ");
            seen.set(group, [...(seen.get(group) ?? []), Number(n)]);
          }
          await own.delete(...messages);
        }
      }),
    );
    const inOrder = Array.from({ length: 12 }, (_, n) => n);
    for (const group of groups) assert.deepEqual(seen.get(group), inOrder, group);
  });

  test("attributes, dead letters, moves back and purges", async () => {
    const letters = await one.queue();
    const queue = await one.queue();
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: letters.arn, maxReceiveCount: 1 });
    await one.client.send(
      new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { RedrivePolicy } }),
    );
    await queue.sendAll(["x", "y"]);
    await queue.receive({ VisibilityTimeout: 0 });
    assert.deepEqual(await queue.receive(), []);
    assert.deepEqual(await letters.counts(), [2, 0, 0]);
    await one.client.send(new StartMessageMoveTaskCommand({ SourceArn: letters.arn }));
    const again = await queue.receive({ WaitTimeSeconds: 10 });
    assert.ok(again.length > 0);
    await one.client.send(new PurgeQueueCommand({ QueueUrl: queue.url }));
    assert.deepEqual(await queue.counts(), [0, 0, 0]);
  });
});
