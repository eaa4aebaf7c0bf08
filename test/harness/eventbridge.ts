/** A server with an EventBridge client, and queues that rules may send to. */
import {
  CreateEventBusCommand,
  EventBridgeClient,
  EventBridgeServiceException,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import type { PutEventsRequestEntry, PutRuleCommandInput, Target } from "@aws-sdk/client-eventbridge";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { PutResourcePolicyCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import type { StartInput } from "../../src/index.ts";
import { policyOf } from "./principals.ts";
import { startServer } from "./server.ts";
import type { TestServer } from "./server.ts";
import { queueAt } from "./sqs.ts";
import type { TestQueue } from "./sqs.ts";

export interface EventSetting {
  readonly server: TestServer;
  readonly client: EventBridgeClient;
  readonly sqs: SQSClient;
  /** Makes a queue that lets EventBridge send, or one that does not. */
  queue(attributes?: Record<string, string>, isOpen?: boolean): Promise<TestQueue>;
  bus(): Promise<string>;
  /** Makes a role that EventBridge may assume, and answers its ARN. */
  role(name: string, action: string, resource?: string): Promise<string>;
  /** Makes a rule of a new name with its targets; answers the name. */
  rule(settings: Partial<PutRuleCommandInput>, ...targets: Partial<Target>[]): Promise<string>;
  /** Puts entries, with a source and a type where they have none. @throws where one of them fails */
  put(...entries: Partial<PutEventsRequestEntry>[]): Promise<string[]>;
  /** What is counted under a name with these dimensions, as Prometheus has their names: over the whole account without any. */
  metric(name: string, dimensions?: Record<string, string>): Promise<number>;
  stop(): Promise<void>;
}

/** A policy that lets EventBridge's rules send to a queue. */
export function queuePolicy(queueArn: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: queueArn,
        Condition: { ArnLike: { "aws:SourceArn": "arn:aws:events:us-east-1:000000000000:rule/*" } },
      },
    ],
  });
}

/** Lets EventBridge write to an account's log groups. */
export async function openLogGroups(logs: CloudWatchLogsClient): Promise<void> {
  const Statement = {
    Effect: "Allow",
    Principal: { Service: ["events.amazonaws.com", "delivery.logs.amazonaws.com"] },
    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    Resource: "arn:aws:logs:*:*:log-group:/aws/events/*:*",
  };
  const policyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [Statement] });
  await logs.send(new PutResourcePolicyCommand({ policyName: "events", policyDocument }));
}

export async function startEvents(config: StartInput = {}): Promise<EventSetting> {
  const server = await startServer({ sandbox: "process", logLevel: "error", ...config });
  const client = new EventBridgeClient(server.client());
  const sqs = new SQSClient(server.client());
  let made = 0;
  return {
    server,
    client,
    sqs,
    async queue(attributes = {}, isOpen = true) {
      made += 1;
      const name = `events-${made}${attributes["FifoQueue"] === "true" ? ".fifo" : ""}`;
      const Policy = queuePolicy(`arn:aws:sqs:us-east-1:000000000000:${name}`);
      const Attributes = { ...attributes, ...(isOpen && { Policy }) };
      const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }));
      return queueAt(sqs, QueueUrl);
    },
    async bus() {
      made += 1;
      await client.send(new CreateEventBusCommand({ Name: `bus-${made}` }));
      return `bus-${made}`;
    },
    async role(RoleName, Action, Resource = "*") {
      const iam = new IAMClient(server.client());
      const AssumeRolePolicyDocument = JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      });
      await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
      const PolicyDocument = policyOf({ Action, Resource });
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
      iam.destroy();
      return `arn:aws:iam::000000000000:role/${RoleName}`;
    },
    async rule(settings, ...targets) {
      made += 1;
      const Name = settings.Name ?? `rule-${made}`;
      await client.send(new PutRuleCommand({ ...settings, Name }));
      const Targets = targets.map((target, at) => ({ Id: `t${at}`, Arn: "", ...target }));
      if (Targets.length > 0)
        await client.send(
          new PutTargetsCommand({ Rule: Name, EventBusName: settings.EventBusName, Targets }),
        );
      return Name;
    },
    async put(...entries) {
      const Entries = entries.map((entry) => ({
        Source: "test.app",
        DetailType: "Tested",
        Detail: "{}",
        ...entry,
      }));
      const answer = await client.send(new PutEventsCommand({ Entries }));
      if (answer.FailedEntryCount !== 0) throw new Error(JSON.stringify(answer.Entries));
      return (answer.Entries ?? []).map(({ EventId = "" }) => EventId);
    },
    async metric(name, dimensions = {}) {
      const text = await (await fetch(`${server.endpoint}/_lambent/metrics`)).text();
      const family = `aws_events_${name.replaceAll(/([a-z])([A-Z])/g, "$1_$2").toLowerCase()}`;
      const all = { account: "000000000000", region: "us-east-1", ...dimensions };
      const labels = Object.entries(all).map(([label, value]) => `${label}="${value}"`);
      const starts = ["_total", "_count", "_milliseconds_count"].map(
        (end) => `${family}${end}{${labels.join()}} `,
      );
      const line = text.split("\n").find((one) => starts.some((start) => one.startsWith(start)));
      return Number(line?.split(" ").at(-1) ?? 0);
    },
    async stop() {
      client.destroy();
      sqs.destroy();
      await server.stop();
    },
  };
}

/** Changes a rule again and again while others put events; answers what it let through, which must be each round's number once. */
export async function changeWhilePutting(setting: EventSetting, rounds: number): Promise<number[]> {
  const [EventBusName, queue] = [await setting.bus(), await setting.queue()];
  const pattern = (k: number) => JSON.stringify({ detail: { k: [k] } });
  const Name = await setting.rule({ EventBusName, EventPattern: pattern(-2) }, { Arn: queue.arn });
  const over = new AbortController();
  const others = Array.from({ length: 2 }, async () => {
    while (!over.signal.aborted) await setting.put({ EventBusName, Detail: '{"k":-1}' });
  });
  const passed: number[] = [];
  for (let k = 0; k < rounds; k++) {
    await setting.client.send(new PutRuleCommand({ Name, EventBusName, EventPattern: pattern(k) }));
    await setting.put({ EventBusName, Detail: `{"k":${k}}` }, { EventBusName, Detail: `{"k":${k - 1}}` });
    const messages = await queue.receive();
    await queue.delete(...messages);
    for (const { Body = "" } of messages)
      passed.push((JSON.parse(Body) as { detail: { k: number } }).detail.k);
  }
  over.abort();
  await Promise.all(others);
  return passed;
}

/** `Code: message` of the error a request ends with. */
export async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request;
  } catch (error) {
    if (error instanceof EventBridgeServiceException) return `${error.name}: ${error.message}`;
    throw error;
  }
  return "(accepted)";
}
