/** The pipeline that people build by hand: fauxqs, sqs-consumer, an Invoke of the SDK, serverless-offline; each a process of its own. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { HELLO } from "../contenders/handlers.ts";
import { offlineName, peersFolder, startServerlessOffline } from "../contenders/peers.ts";
import { freePort, startMeasured } from "../contenders/server.ts";
import type { MeasuredProcess } from "../contenders/server.ts";
import { CONSUME, fill, latencyOf, sendSlowly } from "./messages.ts";
import type { Pipeline } from "./messages.ts";

const CONSUMER = fileURLToPath(new URL("./consumer.mjs", import.meta.url));
const START_MS_MAX = 60_000;
const DRAIN_MS_MAX = 300_000;

export async function startHandMade(): Promise<Pipeline & { stop(): Promise<void> }> {
  await using parts = new AsyncDisposableStack();
  const offline = await startServerlessOffline({
    inProcess: true,
    functions: { hello: HELLO, consume: CONSUME },
  });
  parts.defer(() => offline.stop());
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-fauxqs-"));
  const command = [process.execPath, join(peersFolder(), "node_modules/fauxqs/dist/cli.js")];
  const env = { FAUXQS_PORT: String(port), FAUXQS_LOGGER: "false" };
  const queues = startMeasured({ name: "fauxqs", folder, command, env });
  parts.defer(() => queues.stop());
  const sqs = clientAt(port);
  let made = 0;
  const newQueue = () => makeQueue(sqs, queues, `bench-${(made += 1)}`);
  await newQueue();
  const consume = (queueUrl: string, messages: number) => {
    const words = [join(peersFolder(), "package.json"), port, offline.target.port, offlineName("consume")];
    return startMeasured({
      name: "sqs-consumer",
      folder: mkdtempSync(join(tmpdir(), "lambent-bench-consumer-")),
      command: [process.execPath, CONSUMER, ...words.map(String), queueUrl, String(messages)],
    });
  };
  const everything = parts.move();
  return {
    name: "fauxqs, sqs-consumer, SDK, serverless-offline",
    async drain(messages) {
      const queueUrl = await newQueue();
      await fill(sqs, queueUrl, messages);
      const consumer = consume(queueUrl, messages);
      try {
        return messages / (Number((await told(consumer, /drained in (\S+) ms/, DRAIN_MS_MAX))[1]) / 1_000);
      } finally {
        await consumer.stop();
      }
    },
    async latency(messages) {
      const queueUrl = await newQueue();
      const consumer = consume(queueUrl, 0);
      try {
        const sentAt = await sendSlowly(sqs, queueUrl, messages);
        await sleep(1_000);
        return latencyOf(consumer.printed(), sentAt);
      } finally {
        await consumer.stop();
      }
    },
    async stop() {
      sqs.destroy();
      await everything.disposeAsync();
    },
  };
}

function clientAt(port: number): SQSClient {
  return new SQSClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
  });
}

/** Once it answers. */
async function makeQueue(sqs: SQSClient, running: MeasuredProcess, QueueName: string): Promise<string> {
  for (const end = Date.now() + START_MS_MAX; ; await sleep(50))
    try {
      return (await sqs.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? "";
    } catch (error) {
      if (running.child.exitCode !== null || Date.now() > end)
        throw new Error(`fauxqs does not answer:\n${running.printed()}`, { cause: error });
    }
}

async function told(running: MeasuredProcess, what: RegExp, msMax: number): Promise<RegExpExecArray> {
  for (const end = Date.now() + msMax; Date.now() < end; await sleep(20)) {
    const match = what.exec(running.printed());
    if (match) return match;
    if (running.child.exitCode !== null) break;
  }
  throw new Error(`it did not say ${what}:\n${running.printed()}`);
}
