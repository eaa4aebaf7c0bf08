/**
 * Axis 10: messages from a queue to a function by an event source mapping, durable and isolated, against the pipeline that people build by
 * hand, which is neither: how fast a full queue is drained, and how long one message takes.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { AttachRolePolicyCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startLambent } from "../contenders/lambent.ts";
import type { LambentServer } from "../contenders/lambent.ts";
import { printedSince } from "../contenders/printed.ts";
import { settled } from "../contenders/settled.ts";
import type { BenchOptions } from "../options.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult } from "../report.ts";
import { interleave } from "../rounds.ts";
import { CONSUME, fill, latencyOf, sendSlowly } from "./messages.ts";
import type { Pipeline } from "./messages.ts";
import { startHandMade } from "./pipeline.ts";

const FUNCTION = "consume";
const ROLE_NAME = "test-function";
const QUEUE_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole";
const POLL_MS = 10;
/** A queue is looked at so often while it is drained: the server counts its messages then. */
const DRAIN_POLL_MS = 200;
const SETTLE_MS_MAX = 15_000;
const HAND_MADE = "fauxqs, sqs-consumer, SDK, serverless-offline";

export async function queueToFunction(options: BenchOptions): Promise<AxisResult> {
  await using parts = new AsyncDisposableStack();
  const server = await startLambent({ sandbox: options.sandbox });
  parts.defer(() => server.stop());
  const ours = await mapped(server, options);
  const pipelines: { readonly pipeline: Pipeline; readonly messages: number }[] = [
    { pipeline: ours, messages: options.quick ? 200 : 40_000 },
  ];
  if (options.peers) {
    const handMade = await startHandMade();
    parts.defer(() => handMade.stop());
    pipelines.push({ pipeline: handMade, messages: options.quick ? 200 : 3_000 });
  }
  const slow = options.quick ? 5 : 60;
  // Code is compiled, and environments are there, before anything counts.
  for (const { pipeline, messages } of pipelines) await pipeline.drain(messages / 2);
  const turns = pipelines.map(({ pipeline, messages }) => ({
    name: pipeline.name,
    measure: async () => ({
      secondsEach: 1 / (await pipeline.drain(messages)),
      p50Us: await pipeline.latency(slow),
    }),
  }));
  const rounds = await interleave(turns, options.rounds);
  const against = (metric: string) => rounds.timesLess(ours.name, HAND_MADE, metric);
  return {
    rows: options.peers
      ? [
          row(10, "hand-made pipeline, drain", against("secondsEach"), rounds.stealPermille),
          row(10, "hand-made pipeline, p50", against("p50Us"), rounds.stealPermille),
        ]
      : [],
    notes: [
      ...pipelines.map(({ pipeline: { name } }) => {
        const rate = (1 / rounds.middle(name, "secondsEach")).toFixed(0);
        const ms = (rounds.middle(name, "p50Us") / 1_000).toFixed(2);
        return `${name}: drains ${rate} messages/s in batches of 10; from send to handler p50 ${ms} ms`;
      }),
      roundsNote(rounds),
    ],
  };
}

/** Lambent's own way: a queue, a mapping, a function. */
async function mapped(server: LambentServer, options: BenchOptions): Promise<Pipeline> {
  const iam = new IAMClient(server.options);
  await iam.send(new AttachRolePolicyCommand({ RoleName: ROLE_NAME, PolicyArn: QUEUE_POLICY }));
  await server.deploy(FUNCTION, { "index.cjs": CONSUME });
  const sqs = new SQSClient(server.options);
  let made = 0;
  const newQueue = async () => {
    const QueueName = `bench-${(made += 1)}`;
    return (await sqs.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? "";
  };
  return {
    name: "lambent",
    async drain(messages) {
      const queue = await newQueue();
      await fill(sqs, queue, messages);
      await settled(server, SETTLE_MS_MAX, options);
      const startedAt = performance.now();
      const unmap = await map(server, sqs, queue);
      while (!(await isEmpty(sqs, queue))) await sleep(DRAIN_POLL_MS);
      const seconds = (performance.now() - startedAt) / 1_000;
      await unmap();
      return messages / seconds;
    },
    async latency(messages) {
      const queue = await newQueue();
      const unmap = await map(server, sqs, queue);
      const since = Date.now();
      const sentAt = await sendSlowly(sqs, queue, messages);
      const printed = await printedSince(server, FUNCTION, since, messages);
      await unmap();
      return latencyOf(printed, sentAt);
    },
  };
}

/** @returns what takes the mapping away again. */
async function map(server: LambentServer, sqs: SQSClient, QueueUrl: string): Promise<() => Promise<void>> {
  const lambda = new LambdaClient(server.options);
  const AttributeNames = ["QueueArn" as const];
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
  const EventSourceArn = Attributes?.["QueueArn"];
  const { UUID } = await lambda.send(
    new CreateEventSourceMappingCommand({ FunctionName: FUNCTION, EventSourceArn }),
  );
  const state = async () =>
    lambda.send(new GetEventSourceMappingCommand({ UUID })).then(
      (mapping) => mapping.State,
      () => "gone",
    );
  while ((await state()) !== "Enabled") await sleep(POLL_MS);
  return async () => {
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
    while ((await state()) !== "gone") await sleep(POLL_MS);
    lambda.destroy();
  };
}

async function isEmpty(sqs: SQSClient, QueueUrl: string): Promise<boolean> {
  const AttributeNames = ["All" as const];
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
  const visible = Attributes?.["ApproximateNumberOfMessages"];
  return visible === "0" && Attributes?.["ApproximateNumberOfMessagesNotVisible"] === "0";
}
