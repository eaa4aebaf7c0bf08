/** What both pipelines are given: messages of 256 bytes, and a function that tells how long after it was sent a message reached it. */
import { setTimeout as sleep } from "node:timers/promises";
import { SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { Connection } from "../load/http-client.ts";
import { signedCall } from "../load/signed-request.ts";

/** A way from a queue to a function. */
export interface Pipeline {
  readonly name: string;
  /** Handles messages that were there before it began. @returns messages a second. */
  drain(messages: number): Promise<number>;
  /** Sends messages one at a time. @returns the middle time from before the send to the handler's first line, in microseconds. */
  latency(messages: number): Promise<number>;
}

/** Logs the time of a message that says when it was sent, and answers when it began. */
export const CONSUME = `exports.handler = async ({ Records }) => {
  const at = performance.timeOrigin + performance.now();
  const { t } = JSON.parse(Records[0].body);
  if (t) console.log("handled " + (at - t).toFixed(3) + " ms");
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
 * Each once the one before has long been handled. By the smallest client: after a pause the SDK takes longer than either pipeline, and both
 * would show its time.
 */
export async function sendSlowly(sqs: SQSClient, QueueUrl: string, messages: number): Promise<void> {
  const endpoint = await sqs.config.endpoint?.();
  if (!endpoint?.port) throw new Error("the client has no endpoint of this machine");
  const target = {
    host: endpoint.hostname,
    port: endpoint.port,
    credentials: await sqs.config.credentials(),
  };
  const connection = await Connection.open(target.port, target.host);
  try {
    for (let at = 0; at < messages; at++) {
      const t = performance.timeOrigin + performance.now();
      const body = Buffer.from(JSON.stringify({ QueueUrl, MessageBody: JSON.stringify({ t }) }));
      const { status } = await connection.send(signedCall(target, { ...SEND, body }));
      if (status !== 200) throw new Error(`a message was answered ${status}`);
      await sleep(PAUSE_MS);
    }
  } finally {
    connection.close();
  }
}

const SEND = {
  service: "sqs",
  method: "POST",
  path: "/",
  headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage" },
} as const;
