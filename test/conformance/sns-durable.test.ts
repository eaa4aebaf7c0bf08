/** Topics through `kill -9`: what was published and answered is in the queue, once; and comes to an endpoint once it answers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  CreateTopicCommand,
  GetSubscriptionAttributesCommand,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
} from "@aws-sdk/client-sns";
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

test("what waits for an endpoint survives kill -9: every message comes there once it answers", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-sns-"));
  const flags = ["--data-dir", dataDir, "--port", "0", "--sandbox", "process", "--local-endpoints"];
  const published = new Set<string>();
  let [isUp, failures] = [false, 0];
  const got = new Set<string>();
  const endpoint = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const { SubscribeURL } = (body.startsWith("{") ? JSON.parse(body) : {}) as { SubscribeURL?: string };
      if (SubscribeURL !== undefined) void fetch(SubscribeURL);
      else if (isUp) got.add(body);
      else failures += 1;
      response.writeHead(isUp || SubscribeURL !== undefined ? 200 : 500).end();
    });
  });
  endpoint.listen(0, "127.0.0.1");
  await once(endpoint, "listening");
  let server: ServerProcess | undefined;
  try {
    for (let life = 0; life <= KILLS; life++) {
      server = await spawnServer(flags);
      const sns = new SNSClient(clientOptions(server.endpoint));
      if (life === 0) await subscribeEndpoint(sns, (endpoint.address() as AddressInfo).port);
      for (let at = 0; at < 10; at++) {
        const Message = `${life}-${at}`;
        await sns.send(new PublishCommand({ TopicArn: ARN, Message }));
        published.add(Message);
      }
      sns.destroy();
      const before = failures;
      isUp = life === KILLS;
      // The first kill comes while attempts are made, the next ones after some.
      await until(() => (isUp ? got.size === published.size : failures > before + 5 * life));
      if (!isUp) await server.kill();
    }
  } finally {
    await server?.kill();
    endpoint.closeAllConnections();
    endpoint.close();
    await rm(dataDir, { recursive: true, force: true });
  }
  assert.deepEqual([...got].toSorted(), [...published].toSorted());
  assert.ok(failures >= 20, `${failures} attempts failed`);
});

/** With retries each second, and confirmed by the endpoint. */
async function subscribeEndpoint(sns: SNSClient, port: number): Promise<void> {
  const healthyRetryPolicy = { numRetries: 100, minDelayTarget: 1, maxDelayTarget: 1 };
  await sns.send(new CreateTopicCommand({ Name: "durable" }));
  const { SubscriptionArn } = await sns.send(
    new SubscribeCommand({
      TopicArn: ARN,
      Protocol: "http",
      Endpoint: `http://127.0.0.1:${port}/`,
      Attributes: { RawMessageDelivery: "true", DeliveryPolicy: JSON.stringify({ healthyRetryPolicy }) },
      ReturnSubscriptionArn: true,
    }),
  );
  await until(async () => {
    const { Attributes } = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }));
    return Attributes?.["PendingConfirmation"] === "false";
  });
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error("It did not come to be within 20 seconds");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
