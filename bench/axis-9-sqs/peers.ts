/** Peers that speak SQS, and keep messages in memory: fauxqs from npm, moto where it is installed. */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { peerFile } from "../contenders/peers.ts";
import { freePort, startMeasured } from "../contenders/server.ts";
import type { SqsJob, SqsTarget } from "../load/sqs-loop.ts";

/** A queue for each work, so that what one leaves is not what another finds. */
export type Queues = Readonly<Record<SqsJob["work"], SqsTarget>>;

export interface QueueServer {
  readonly name: string;
  readonly queues: Queues;
  /** CPU of all its processes, in microseconds since it started. */
  usedUs(): number;
  stop(): Promise<void>;
}

const CREDENTIALS = { accessKeyId: "000000000000", secretAccessKey: "unverified" };
const START_MS_MAX = 60_000;

/** Makes the queues, and says where they are. */
export async function queuesOn(
  endpoint: string,
  credentials: SqsTarget["credentials"],
  keepsAlive = true,
): Promise<Queues> {
  const client = new SQSClient({ endpoint, region: "us-east-1", credentials });
  const port = Number(new URL(endpoint).port);
  const make = async (QueueName: string): Promise<SqsTarget> => {
    const { QueueUrl: queueUrl = "" } = await client.send(new CreateQueueCommand({ QueueName }));
    return { host: "127.0.0.1", port, queueUrl, credentials, keepsAlive };
  };
  try {
    return { send: await make("send"), batch: await make("batch"), cycle: await make("cycle") };
  } finally {
    client.destroy();
  }
}

/** fauxqs as its command starts it, but without its line for each request. */
export async function startFauxqs(): Promise<QueueServer> {
  const port = await freePort();
  const module = pathToFileURL(peerFile("fauxqs/dist/app.js")).href;
  const script = `import(${JSON.stringify(module)}).then(({ startFauxqs }) => startFauxqs({ logger: false, port: ${port} }))`;
  return start("fauxqs", port, [process.execPath, "-e", script], true);
}

/** Why moto is left out; undefined where it is there. */
export function motoMissing(): string | undefined {
  const { status } = spawnSync("moto_server", ["--help"], { stdio: "ignore" });
  return status === 0 ? undefined : "moto is left out: there is no moto_server; pip install 'moto[server]'.";
}

export async function startMoto(): Promise<QueueServer> {
  const port = await freePort();
  return start("moto", port, ["moto_server", "-H", "127.0.0.1", "-p", String(port)], false);
}

async function start(
  name: string,
  port: number,
  command: readonly string[],
  keepsAlive: boolean,
): Promise<QueueServer> {
  const folder = mkdtempSync(join(tmpdir(), `lambent-bench-${name}-`));
  const running = startMeasured({ name, folder, command, cwd: folder });
  for (const end = Date.now() + START_MS_MAX; Date.now() < end; await sleep(100)) {
    if (running.child.exitCode !== null) break;
    const queues = await queuesOn(`http://127.0.0.1:${port}`, CREDENTIALS, keepsAlive).catch(() => undefined);
    if (queues)
      return {
        name,
        queues,
        usedUs: () => running.group.usedUs(),
        stop: () => running.stop(),
      };
  }
  await running.stop();
  throw new Error(`${name} does not answer:\n${running.printed()}`);
}
