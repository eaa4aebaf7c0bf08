/**
 * Axis 13: what it costs to publish to a topic and to put events on a bus, with what they bring in a queue, and how long it takes until a
 * receiver has it. Ours is durable before it answers, and verifies; the peers keep it in memory.
 */
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { PurgeQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { SNSClient, CreateTopicCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import { setTimeout as sleep } from "node:timers/promises";
import { motoMissing } from "../axis-9-sqs/peers.ts";
import type { LambentServer } from "../contenders/lambent.ts";
import { medianOf, printedSince } from "../contenders/printed.ts";
import { startGenerator } from "../load/generator.ts";
import type { Generator } from "../load/generator.ts";
import { callerOf } from "../load/http-client.ts";
import { signedCall } from "../load/signed-request.ts";
import type { BenchOptions } from "../options.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult, Row } from "../report.ts";
import { interleave } from "../rounds.ts";
import type { Comparison, Measured } from "../rounds.ts";
import { percentile } from "../statistics.ts";
import { EVENTS, deleteMessage, publish, putEvents, receive } from "./calls.ts";
import type { TextCall } from "./calls.ts";
import { SOURCE, startFauxqs, startMoto, startOurs } from "./servers.ts";
import type { PushServer } from "./servers.ts";

const CALLERS = 16;
/** How often each is published and waited for. */
const ONES = 40;
const PAUSE_MS = 20;
/** Rules of a bus; making thousands takes moto minutes. */
const RULES = [1, 100, 10_000];
const MOTO_RULES = [1, 100];

export async function pushes(options: BenchOptions): Promise<AxisResult> {
  await using parts = new AsyncDisposableStack();
  const servers: PushServer[] = [];
  const skipped: string[] = [];
  const add = async <T extends PushServer>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    parts.defer(() => server.stop());
    servers.push(server);
    return server;
  };
  const ours = await add(startOurs(options, options.quick ? MOTO_RULES : RULES));
  if (options.peers) {
    await add(startFauxqs());
    const missing = motoMissing();
    if (missing === undefined) await add(startMoto(MOTO_RULES));
    else skipped.push(`SKIPPED: ${missing}`);
  }
  const generator = await startGenerator();
  parts.defer(() => generator.stop());
  const durationMs = options.quick ? 200 : 3_000;
  const turns = servers.map((server) => ({
    name: server.name,
    measure: () => measure(server, generator, durationMs, options.quick ? 5 : ONES),
  }));
  for (const { measure: warm } of turns) await warm();
  const rounds = await interleave(turns, options.rounds);
  const handler = await handlerTimes(ours.server, options.quick ? 5 : ONES);
  return {
    rows: compare(servers, rounds),
    notes: [...skipped, ...notesOf(servers, rounds), handler, roundsNote(rounds)],
  };
}

async function measure(
  server: PushServer,
  generator: Generator,
  durationMs: number,
  ones: number,
): Promise<Measured> {
  const measured: Record<string, number> = {};
  const load = async (name: string, call: TextCall, parts: number, connections = CALLERS) => {
    await empty(server);
    const before = server.usedUs();
    const { target, keepsAlive } = server;
    const job = { target, calls: [call], connections, durationMs, keepsAlive };
    const { requests, perSecond } = await generator.runCalls(job);
    measured[`${name}CpuUs`] = (server.usedUs() - before) / requests / parts;
    measured[`${name}SecondsEach`] = 1 / perSecond / parts;
  };
  await load("publish", publish(server), 1);
  // Ten events take moto seconds, and its CPU is the same whoever waits.
  const putters = server.name === "moto" ? 1 : CALLERS;
  for (const [rules, bus] of server.buses) await load(`events${rules}`, putEvents(bus), EVENTS, putters);
  await empty(server);
  measured["publishP50Us"] = await latency(server, publish(server, "one"), ones);
  const [bus] = server.buses.values();
  if (bus !== undefined) measured["eventP50Us"] = await latency(server, putEvents(bus, 1, "one"), ones);
  return measured;
}

/** From before the call that publishes to the answer to the receiver who waits; the middle, in microseconds. */
async function latency(server: PushServer, call: TextCall, ones: number): Promise<number> {
  const [publisher, receiver] = await Promise.all([
    callerOf(server.target, server.keepsAlive),
    callerOf(server.target, server.keepsAlive),
  ]);
  const bytesOf = ({ body, ...rest }: TextCall) =>
    signedCall(server.target, { ...rest, body: Buffer.from(body) });
  const times: number[] = [];
  try {
    while (times.length < ones) {
      const waiting = receiver.send(bytesOf(receive(server)));
      await sleep(PAUSE_MS);
      const since = performance.now();
      const { status, body } = await publisher.send(bytesOf(call));
      if (status !== 200) throw new Error(`${server.name} answered ${status}: ${body.toString()}`);
      const answer = JSON.parse((await waiting).body.toString()) as {
        Messages?: { ReceiptHandle: string }[];
      };
      times.push(performance.now() - since);
      for (const { ReceiptHandle } of answer.Messages ?? [])
        await receiver.send(bytesOf(deleteMessage(server, ReceiptHandle)));
    }
  } finally {
    publisher.close();
    receiver.close();
  }
  return percentile(times, 0.5) * 1_000;
}

/** A purge that is refused, since there was one a moment ago, comes next time. */
async function empty({ target, queueUrl: QueueUrl }: PushServer): Promise<void> {
  const { host, port, credentials } = target;
  const sqs = new SQSClient({
    endpoint: `http://${host}:${port}`,
    region: "us-east-1",
    credentials,
    useQueueUrlAsEndpoint: false,
  });
  await sqs.send(new PurgeQueueCommand({ QueueUrl })).catch(() => undefined);
  sqs.destroy();
}

function compare(servers: readonly PushServer[], rounds: Comparison): Row[] {
  const has = (name: string) => servers.some((server) => server.name === name);
  const against = (peer: string, metric: string) => rounds.timesLess("lambent", peer, metric);
  const steal = rounds.stealPermille;
  return [
    ...(has("fauxqs")
      ? [
          row(13, "fauxqs, Publish to a queue", against("fauxqs", "publishCpuUs"), steal),
          row(13, "fauxqs, from Publish to the receiver, p50", against("fauxqs", "publishP50Us"), steal),
        ]
      : []),
    ...(has("moto")
      ? [
          row(13, "moto, Publish to a queue", against("moto", "publishCpuUs"), steal),
          row(13, "moto, from Publish to the receiver, p50", against("moto", "publishP50Us"), steal),
          row(13, "moto, an event of PutEvents, 1 rule", against("moto", "events1CpuUs"), steal),
          row(13, "moto, an event of PutEvents, 100 rules", against("moto", "events100CpuUs"), steal),
          row(13, "moto, from PutEvents to the receiver, p50", against("moto", "eventP50Us"), steal),
        ]
      : []),
  ];
}

function notesOf(servers: readonly PushServer[], rounds: Comparison): string[] {
  return servers.map(({ name, buses }) => {
    const us = (metric: string) => rounds.middle(name, metric);
    const cost = (metric: string) =>
      `${us(`${metric}CpuUs`).toFixed(1)} µs of CPU, ${(1 / us(`${metric}SecondsEach`)).toFixed(0)}/s`;
    const events = [...buses.keys()].map((rules) => `an event with ${rules} rules ${cost(`events${rules}`)}`);
    const ms = (metric: string) => `${(us(metric) / 1_000).toFixed(2)} ms`;
    const times = [`from Publish to the receiver p50 ${ms("publishP50Us")}`];
    if (buses.size > 0) times.push(`from PutEvents ${ms("eventP50Us")}`);
    return `${name}: Publish ${cost("publish")}; ${[...events, ...times].join("; ")}`;
  });
}

const PUSHED = `exports.handler = async (event) => {
  const at = performance.timeOrigin + performance.now();
  const sent = event.detail?.text ?? event.Records[0].Sns.Message;
  if (Number(sent)) console.log("handled " + (at - Number(sent)).toFixed(3) + " ms");
};
`;

/** From a publisher to a function's handler, which no peer runs. */
async function handlerTimes(server: LambentServer, ones: number): Promise<string> {
  const { options } = server;
  const p50: string[] = [];
  for (const service of ["sns", "events"] as const) {
    const name = `pushed-${service}`;
    await server.deploy(name, { "index.cjs": PUSHED });
    const lambda = new LambdaClient(options);
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: name,
        StatementId: "push",
        Action: "lambda:InvokeFunction",
        Principal: `${service}.amazonaws.com`,
      }),
    );
    lambda.destroy();
    const send = await senderTo(server, service, `arn:aws:lambda:us-east-1:000000000000:function:${name}`);
    for (let n = 0; n < ones; n++, await sleep(PAUSE_MS)) await send("warm");
    const since = Date.now();
    for (let n = 0; n < ones; n++, await sleep(PAUSE_MS))
      await send(String(performance.timeOrigin + performance.now()));
    const us = medianOf(await printedSince(server, name, since, ones));
    p50.push(`${service === "sns" ? "Publish" : "PutEvents"} ${(us / 1_000).toFixed(2)} ms`);
  }
  return `lambent: to the handler of a function, p50: ${p50.join(", ")}`;
}

/** What sends a text to a function by a topic or a rule of its own. */
async function senderTo(
  server: LambentServer,
  service: "sns" | "events",
  Arn: string,
): Promise<(text: string) => Promise<void>> {
  const { options } = server;
  let callWith: (text: string) => TextCall;
  if (service === "sns") {
    const sns = new SNSClient(options);
    const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "to-function" }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "lambda", Endpoint: Arn }));
    sns.destroy();
    callWith = (text) => publish({ topicArn: TopicArn }, text);
  } else {
    const events = new EventBridgeClient(options);
    const EventPattern = JSON.stringify({ source: [SOURCE] });
    await events.send(new PutRuleCommand({ Name: "to-function", EventPattern }));
    await events.send(new PutTargetsCommand({ Rule: "to-function", Targets: [{ Id: "function", Arn }] }));
    events.destroy();
    callWith = (text) => putEvents("default", 1, text);
  }
  const target = server.targetOf("");
  return async (text) => {
    const { body, ...call } = callWith(text);
    const caller = await callerOf(target, true);
    const { status, ...answer } = await caller.send(signedCall(target, { ...call, body: Buffer.from(body) }));
    caller.close();
    if (status !== 200) throw new Error(`answered ${status}: ${answer.body.toString()}`);
  };
}
