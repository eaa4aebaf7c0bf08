/** Messages through `kill -9`: what was sent is there, what was deleted stays away, what was received stays hidden. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { spawnServer } from "../harness/process.ts";
import type { ServerProcess } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";
import { queueAt } from "../harness/sqs.ts";
import type { TestQueue } from "../harness/sqs.ts";

const KILLS = 3;
const SENDERS = 8;

test("SendMessage, DeleteMessage and ReceiveMessage survive kill -9: nothing sent is lost, nothing deleted comes back", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-sqs-"));
  const flags = ["--data-dir", dataDir, "--port", "0", "--sandbox", "process"];
  const sent = new Set<string>();
  const deleted = new Set<string>();
  const received = new Map<string, number>();
  let server: ServerProcess | undefined;
  try {
    for (let life = 0; life <= KILLS; life++) {
      const running = await spawnServer(flags);
      server = running;
      const client = new SQSClient(clientOptions(running.endpoint));
      const QueueName = "durable";
      if (life === 0)
        await client.send(new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout: "3600" } }));
      const queue = queueAt(client, `${running.endpoint}/000000000000/${QueueName}`);
      if (life === KILLS) await receiveRest(queue);
      else await workUntilKilled(queue, running, life);
      client.destroy();
    }
  } finally {
    await server?.kill();
    await rm(dataDir, { recursive: true, force: true });
  }
  const lost = [...sent].filter((body) => !received.has(body));
  assert.deepEqual(lost, []);
  assert.deepEqual(
    [...received].filter(([, times]) => times > 1),
    [],
    "hidden messages stayed hidden",
  );
  assert.ok(sent.size > 100 && deleted.size > 20, `${sent.size} sent, ${deleted.size} deleted`);

  async function workUntilKilled(queue: TestQueue, running: ServerProcess, life: number): Promise<void> {
    const killed = new AbortController();
    const { signal } = killed;
    const unlessKilled = async (work: () => Promise<void>) => {
      while (!signal.aborted)
        try {
          await work();
        } catch (error) {
          // Broken off: whether it was done is not known.
          if (!signal.aborted) throw error;
        }
    };
    let next = 0;
    const senders = Array.from({ length: SENDERS }, () =>
      unlessKilled(async () => {
        const body = `${life}-${next++}`;
        await queue.send(body);
        sent.add(body);
      }),
    );
    const receiver = unlessKilled(async () => {
      const messages = await queue.receive({ MaxNumberOfMessages: 3 });
      for (const { Body = "" } of messages) received.set(Body, (received.get(Body) ?? 0) + 1);
      for (const message of messages) {
        await queue.delete(message);
        deleted.add(message.Body ?? "");
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 600 + 300 * life));
    killed.abort();
    await running.kill();
    await Promise.all([...senders, receiver]);
  }

  /** What is visible, and then, by the last server's own count, what the killed receivers have hidden. */
  async function receiveRest(queue: TestQueue): Promise<void> {
    for (;;) {
      const messages = await queue.receive();
      if (messages.length === 0) break;
      for (const { Body = "" } of messages) received.set(Body, (received.get(Body) ?? 0) + 1);
    }
    // A receive that the kill broke off is hidden, and nobody knows what it got: at most one batch for each life.
    const unknown = [...sent].filter((body) => !received.has(body));
    const [, inFlight] = await queue.counts();
    assert.ok(unknown.length <= KILLS * 3, `${unknown.length} are neither visible nor received`);
    assert.ok(inFlight >= unknown.length);
    for (const body of unknown) received.set(body, 1);
  }
});
