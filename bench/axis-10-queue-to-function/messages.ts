/** What both pipelines are given: messages of 256 bytes, and a function that tells how long after it was sent a message reached it. */
import { setTimeout as sleep } from "node:timers/promises";
import { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { Connection } from "../load/http-client.ts";
import { signedCall } from "../load/signed-request.ts";
import { percentile } from "../statistics.ts";

/** A way from a queue to a function. */
export interface Pipeline {
  readonly name: string;
  /** Handles messages that were there before it began. @returns messages a second. */
  drain(messages: number): Promise<number>;
  /** Sends messages one at a time. @returns the middle time from the sending of a request to the handler's first line, in microseconds. */
  latency(messages: number): Promise<number>;
}

/** Answers when it began, and logs it for a message that has a number of its own. */
export const CONSUME = `exports.handler = async ({ Records }) => {
  const at = performance.timeOrigin + performance.now();
  const { ping } = JSON.parse(Records[0].body);
  if (ping !== undefined) console.log("handled " + ping + " at " + at.toFixed(3));
  return { at };
};
`;
const BODY = JSON.stringify({ n: 7, text: "x".repeat(238) });
const SENDERS = 8;
const PAUSE_MS = 50;

export async function fill(sqs: SQSClient, QueueUrl: string, messages: number): Promise<void> {
  let left = Math.ceil(messages / 10);
  const sender = async () => {
    while (left-- > 0) {
      const Entries = Array.from({ length: 10 }, (_, at) => ({ Id: String(at), MessageBody: BODY }));
      const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
      if (Failed.length > 0) throw new Error(`a message was refused: ${Failed[0]?.Message}`);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
}

/**
 * Each once the one before has long been handled. By the smallest client, and signed before its time is taken: after a pause the SDK takes
 * longer than either pipeline, and both would show what their caller takes.
 * @returns when each was sent, in epoch milliseconds
 */
export async function sendSlowly(sqs: SQSClient, QueueUrl: string, messages: number): Promise<number[]> {
  const endpoint = await sqs.config.endpoint?.();
  if (!endpoint?.port) throw new Error("the client has no endpoint of this machine");
  const target = {
    host: endpoint.hostname,
    port: endpoint.port,
    credentials: await sqs.config.credentials(),
  };
  const connection = await Connection.open(target.port, target.host);
  const sentAt: number[] = [];
  try {
    for (let ping = 0; ping < messages; ping++) {
      const body = Buffer.from(JSON.stringify({ QueueUrl, MessageBody: JSON.stringify({ ping }) }));
      const request = signedCall(target, { ...SEND, body });
      sentAt.push(performance.timeOrigin + performance.now());
      const { status } = await connection.send(request);
      if (status !== 200) throw new Error(`a message was answered ${status}`);
      await sleep(PAUSE_MS);
    }
    return sentAt;
  } finally {
    connection.close();
  }
}

/** The middle of the times until messages were handled, by what was printed of them, in microseconds. */
export function latencyOf(printed: string, sentAt: readonly number[]): number {
  const times = [...printed.matchAll(/handled (\d+) at (\S+)/g)].map(
    ([, ping, at]) => Number(at) - (sentAt[Number(ping)] ?? Number.NaN),
  );
  if (times.length === 0) throw new Error("nothing was told of when messages were handled");
  return percentile(times, 0.5) * 1_000;
}

const SEND = {
  service: "sqs",
  method: "POST",
  path: "/",
  headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage" },
} as const;
