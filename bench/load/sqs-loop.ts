/** Closed loops against a queue, as AWS's SDKs send: one send after the other, batches of ten, or messages sent, received and deleted. */
import { createHash, randomUUID } from "node:crypto";
import { signRequest } from "../../src/aws/auth/sign-request.ts";
import { percentile } from "../statistics.ts";
import { callerOf } from "./http-client.ts";
import type { Caller } from "./http-client.ts";

export interface SqsTarget {
  readonly host: string;
  readonly port: number;
  readonly queueUrl: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** False for a server that closes each connection after its answer. */
  readonly keepsAlive: boolean;
}

export interface SqsJob {
  readonly target: SqsTarget;
  /** What each connection does over and over. */
  readonly work: "send" | "batch" | "cycle";
  readonly connections: number;
  readonly durationMs: number;
  /** Length of each message's body. */
  readonly bodyBytes: number;
}

export interface SqsResult {
  /** Sent and, in a cycle, deleted too. */
  readonly messages: number;
  readonly perSecond: number;
  /** Of one request; of the whole round in a cycle. */
  readonly p50Us: number;
  readonly p99Us: number;
}

const REGION = "us-east-1";
const BATCH = 10;
/** Different requests that are sent in turn, signed anew every second. */
const VARIANTS = 32;
const RENEW_MS = 1_000;

/** @throws Error with the first answer that is no success: a benchmark of errors is none. */
export async function sqsLoop(job: SqsJob): Promise<SqsResult> {
  const { target, connections: count, durationMs, work } = job;
  const connections = await Promise.all(
    Array.from({ length: count }, () => callerOf(target, target.keepsAlive)),
  );
  const latencies: number[] = [];
  const supply = new Supply(target, work === "send" ? sendsOf(job) : batchesOf(job));
  const startedAt = performance.now();
  const until = startedAt + durationMs;
  let messages = 0;
  const one = async (connection: Caller) => {
    for (let begun = performance.now(); begun < until;) {
      if (work === "cycle") {
        const deleted = await cycle(connection, target, supply);
        messages += deleted;
      } else {
        succeeded(await connection.send(supply.take()));
        messages += work === "send" ? 1 : BATCH;
      }
      const now = performance.now();
      latencies.push(now - begun);
      begun = now;
    }
  };
  try {
    await Promise.all(connections.map(one));
  } finally {
    for (const connection of connections) connection.close();
  }
  return {
    messages,
    perSecond: (messages / (performance.now() - startedAt)) * 1_000,
    p50Us: percentile(latencies, 0.5) * 1_000,
    p99Us: percentile(latencies, 0.99) * 1_000,
  };
}

/** Sends ten, receives up to ten, and deletes them. @returns how many it deleted */
async function cycle(connection: Caller, target: SqsTarget, supply: Supply): Promise<number> {
  const { queueUrl: QueueUrl } = target;
  succeeded(await connection.send(supply.take()));
  const receive = signed(target, "ReceiveMessage", { QueueUrl, MaxNumberOfMessages: BATCH });
  const received = succeeded(await connection.send(receive)) as {
    Messages?: { ReceiptHandle: string }[];
  };
  const Entries = (received.Messages ?? []).map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle }));
  if (Entries.length === 0) return 0;
  const deleted = succeeded(
    await connection.send(signed(target, "DeleteMessageBatch", { QueueUrl, Entries })),
  ) as { Successful?: unknown[] };
  return deleted.Successful?.length ?? 0;
}

function succeeded({ status, body }: { readonly status: number; readonly body: Buffer }): unknown {
  const answer: unknown = JSON.parse(body.toString());
  const failed = (answer as { Failed?: unknown[] }).Failed;
  if (status !== 200 || (failed && failed.length > 0))
    throw new Error(`answered ${status}: ${body.toString()}`);
  return answer;
}

interface Call {
  readonly operation: string;
  readonly input: object;
}

function sendsOf({ target: { queueUrl: QueueUrl }, bodyBytes }: SqsJob): Call[] {
  return bodiesOf(VARIANTS, bodyBytes).map((MessageBody) => ({
    operation: "SendMessage",
    input: { QueueUrl, MessageBody },
  }));
}

function batchesOf({ target: { queueUrl: QueueUrl }, bodyBytes }: SqsJob): Call[] {
  const bodies = bodiesOf(VARIANTS * BATCH, bodyBytes);
  return Array.from({ length: VARIANTS }, (_, n) => ({
    operation: "SendMessageBatch",
    input: {
      QueueUrl,
      Entries: bodies
        .slice(n * BATCH, (n + 1) * BATCH)
        .map((MessageBody, at) => ({ Id: `message-${at}`, MessageBody })),
    },
  }));
}

/** Small texts, each different. */
function bodiesOf(count: number, bytes: number): string[] {
  return Array.from({ length: count }, (_, n) => `${n} `.padEnd(bytes, "x"));
}

/** Requests that are signed every second, so that none is too old and none is new for each. */
class Supply {
  readonly #target: SqsTarget;
  readonly #calls: readonly Call[];
  #requests: Buffer[] = [];
  #signedAt = Number.NEGATIVE_INFINITY;
  #next = 0;

  constructor(target: SqsTarget, calls: readonly Call[]) {
    this.#target = target;
    this.#calls = calls;
  }

  take(): Buffer {
    if (this.#next === 0 && performance.now() - this.#signedAt > RENEW_MS) {
      this.#requests = this.#calls.map(({ operation, input }) => signed(this.#target, operation, input));
      this.#signedAt = performance.now();
    }
    const request = this.#requests[this.#next] as Buffer;
    this.#next = (this.#next + 1) % this.#requests.length;
    return request;
  }
}

const USER_AGENT = "aws-sdk-js/3.1169.0 ua/2.1 os/linux#6.1 lang/js md/nodejs#26.10.0 api/sqs#3.1169.0 m/E";

/** The bytes of a request as the AWS SDK for JavaScript sends it. */
function signed(target: SqsTarget, operation: string, input: object): Buffer {
  const body = Buffer.from(JSON.stringify(input));
  const url = new URL(`http://${target.host}:${target.port}/`);
  const headers = signRequest(
    {
      method: "POST",
      url,
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "content-length": String(body.length),
        "x-amz-target": `AmazonSQS.${operation}`,
        "x-amzn-query-mode": "true",
        "x-amz-user-agent": USER_AGENT,
        "user-agent": USER_AGENT,
        "amz-sdk-invocation-id": randomUUID(),
        "amz-sdk-request": "attempt=1; max=3",
        "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
      },
      body,
    },
    { ...target.credentials, sessionToken: undefined, region: REGION, service: "sqs", date: new Date() },
  );
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([
    Buffer.from(`POST / HTTP/1.1\r\n${lines.join("")}connection: keep-alive\r\n\r\n`, "latin1"),
    body,
  ]);
}
