/** Topics through `kill -9`: what was published and answered is in the queue, once. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { spawnServer } from "../harness/process.ts";
import type { ServerProcess } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";
import { queueAt } from "../harness/sqs.ts";

const KILLS = 2;
const PUBLISHERS = 6;
const ARN = "arn:aws:sns:us-east-1:000000000000:durable";
const QUEUE = "arn:aws:sqs:us-east-1:000000000000:durable";
const Policy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: QUEUE,
    },
  ],
});

test("Publish survives kill -9: every message that was answered is in the queue, and none is there twice", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-sns-"));
  const flags = ["--data-dir", dataDir, "--port", "0", "--sandbox", "process"];
  const published = new Set<string>();
  const received: string[] = [];
  let server: ServerProcess | undefined;
  try {
    for (let life = 0; life <= KILLS; life++) {
      const running = await spawnServer(flags);
      server = running;
      const [sns, sqs] = [
        new SNSClient(clientOptions(running.endpoint)),
        new SQSClient(clientOptions(running.endpoint)),
      ];
      if (life === 0) {
        await sqs.send(
          new CreateQueueCommand({ QueueName: "durable", Attributes: { Policy, VisibilityTimeout: "3600" } }),
        );
        await sns.send(new CreateTopicCommand({ Name: "durable" }));
        await sns.send(
          new SubscribeCommand({
            TopicArn: ARN,
            Protocol: "sqs",
            Endpoint: QUEUE,
            Attributes: { RawMessageDelivery: "true" },
          }),
        );
      }
      if (life < KILLS) await publishUntilKilled(sns, running, life);
      else {
        const queue = queueAt(sqs, `${running.endpoint}/000000000000/durable`);
        for (let bodies = await queue.bodies(); bodies.length > 0; bodies = await queue.bodies())
          received.push(...bodies);
      }
      sns.destroy();
      sqs.destroy();
    }
  } finally {
    await server?.kill();
    await rm(dataDir, { recursive: true, force: true });
  }
  const got = new Set(received);
  assert.equal(got.size, received.length, "none is there twice");
  assert.deepEqual(
    [...published].filter((body) => !got.has(body)),
    [],
    "none is lost",
  );
  assert.ok(published.size > 50, `${published.size} published`);

  async function publishUntilKilled(sns: SNSClient, running: ServerProcess, life: number): Promise<void> {
    let next = 0;
    const killed = new AbortController();
    const { signal } = killed;
    const publishers = Array.from({ length: PUBLISHERS }, async () => {
      while (!signal.aborted)
        try {
          const Message = `${life}-${next++}`;
          await sns.send(new PublishCommand({ TopicArn: ARN, Message }));
          published.add(Message);
        } catch (error) {
          // Broken off: whether it was done is not known.
          if (!signal.aborted) throw error;
        }
    });
    await new Promise((resolve) => setTimeout(resolve, 600));
    killed.abort();
    await running.kill();
    await Promise.all(publishers);
  }
});
