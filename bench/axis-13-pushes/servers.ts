/** Servers that push: Lambent, and those that emulate SNS and EventBridge, each with a queue that gets what is published. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import {
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  CreateEventBusCommand,
} from "@aws-sdk/client-eventbridge";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startLambent } from "../contenders/lambent.ts";
import type { LambentServer } from "../contenders/lambent.ts";
import { peerFile } from "../contenders/peers.ts";
import { freePort, startMeasured } from "../contenders/server.ts";
import type { CallTarget } from "../load/signed-request.ts";
import type { BenchOptions } from "../options.ts";

export interface PushServer {
  readonly name: string;
  readonly target: CallTarget;
  /** False where each connection is closed after its answer. */
  readonly keepsAlive: boolean;
  readonly topicArn: string;
  /** Of what comes by the topic, or by a rule. */
  readonly queueUrl: string;
  /** By how many rules each has; one of them matches what is put. Empty where there is no EventBridge. */
  readonly buses: ReadonlyMap<number, string>;
  /** CPU of all its processes, in microseconds since it started. */
  usedUs(): number;
  stop(): Promise<void>;
}

/** What rules and events have in common. */
export const SOURCE = "bench";
const REGION = "us-east-1";
const START_MS_MAX = 60_000;
const RULES_AT_ONCE = 16;
const UNVERIFIED = { accessKeyId: "000000000000", secretAccessKey: "unverified" };

export async function startOurs(
  { sandbox }: BenchOptions,
  rules: readonly number[],
): Promise<PushServer & { readonly server: LambentServer }> {
  const env = { LAMBENT_EVENT_RULES: String(Math.max(...rules)) };
  const server = await startLambent({ sandbox, env });
  const { port } = new URL(server.options.endpoint);
  const target = { host: "127.0.0.1", port: Number(port), credentials: server.options.credentials };
  const made = await furnish(target, rules);
  return {
    name: "lambent",
    target,
    keepsAlive: true,
    ...made,
    server,
    usedUs: () => server.usedUsOf("server"),
    stop: () => server.stop(),
  };
}

/** fauxqs has topics, and no event buses. */
export async function startFauxqs(): Promise<PushServer> {
  const port = await freePort();
  const module = pathToFileURL(peerFile("fauxqs/dist/app.js")).href;
  const script = `import(${JSON.stringify(module)}).then(({ startFauxqs }) => startFauxqs({ logger: false, port: ${port} }))`;
  return startPeer("fauxqs", port, [process.execPath, "-e", script], true, []);
}

export async function startMoto(rules: readonly number[]): Promise<PushServer> {
  const port = await freePort();
  return startPeer("moto", port, ["moto_server", "-H", "127.0.0.1", "-p", String(port)], false, rules);
}

async function startPeer(
  name: string,
  port: number,
  command: readonly string[],
  keepsAlive: boolean,
  rules: readonly number[],
): Promise<PushServer> {
  const folder = mkdtempSync(join(tmpdir(), `lambent-bench-${name}-`));
  const running = startMeasured({ name, folder, command, cwd: folder });
  const target = { host: "127.0.0.1", port, credentials: UNVERIFIED };
  for (const end = Date.now() + START_MS_MAX; Date.now() < end; await sleep(100)) {
    if (running.child.exitCode !== null) break;
    const answers = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (!answers) continue;
    const made = await furnish(target, rules);
    return {
      name,
      target,
      keepsAlive,
      ...made,
      usedUs: () => running.group.usedUs(),
      stop: () => running.stop(),
    };
  }
  await running.stop();
  throw new Error(`${name} does not answer:\n${running.printed()}`);
}

/** A queue, a topic that it is subscribed to, and buses that each have one rule for it among others. */
async function furnish(
  { host, port, credentials }: CallTarget,
  rules: readonly number[],
): Promise<Pick<PushServer, "topicArn" | "queueUrl" | "buses">> {
  const options = { endpoint: `http://${host}:${port}`, region: REGION, credentials };
  const sqs = new SQSClient({ ...options, useQueueUrlAsEndpoint: false });
  const sns = new SNSClient(options);
  const events = new EventBridgeClient(options);
  const allowed = {
    Effect: "Allow",
    Principal: { Service: ["sns.amazonaws.com", "events.amazonaws.com"] },
    Action: "sqs:SendMessage",
    Resource: "*",
  };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [allowed] });
  const { QueueUrl = "" } = await sqs.send(
    new CreateQueueCommand({ QueueName: "pushed", Attributes: { Policy } }),
  );
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  const Arn = Attributes?.["QueueArn"] ?? "";
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "pushes" }));
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "sqs",
      Endpoint: Arn,
      Attributes: { RawMessageDelivery: "true" },
    }),
  );
  const buses = new Map<number, string>();
  for (const count of rules) {
    const EventBusName = `rules-${count}`;
    await events.send(new CreateEventBusCommand({ Name: EventBusName }));
    await addRules(events, EventBusName, count, Arn);
    buses.set(count, EventBusName);
  }
  for (const client of [sqs, sns, events]) client.destroy();
  return { topicArn: TopicArn, queueUrl: QueueUrl, buses };
}

/** Each rule wants another value of the detail's `kind`; events have that of the first. */
async function addRules(
  events: EventBridgeClient,
  EventBusName: string,
  count: number,
  Arn: string,
): Promise<void> {
  let next = 0;
  const adder = async () => {
    for (let n = next++; n < count; n = next++) {
      const EventPattern = JSON.stringify({ source: [SOURCE], detail: { kind: [`kind-${n}`] } });
      await events.send(new PutRuleCommand({ Name: `rule-${n}`, EventBusName, EventPattern }));
    }
  };
  await Promise.all(Array.from({ length: RULES_AT_ONCE }, adder));
  await events.send(new PutTargetsCommand({ Rule: "rule-0", EventBusName, Targets: [{ Id: "queue", Arn }] }));
}
