/** What a queue is like: its attributes read into values that the rules work with. */
import type { QueueRow } from "../store/queues.ts";
import { isFifoName, queueArn } from "../names.ts";
import type { QueueId } from "../names.ts";
import { MESSAGE_BYTES_MAX } from "../limits.ts";

/** Attributes by AWS's names, as texts. */
export type Attributes = Readonly<Record<string, string>>;

export interface Redrive {
  readonly deadLetterArn: string;
  /** A message that was received so often is moved instead of being received again. */
  readonly receivesMax: number;
}

export interface Queue extends QueueId {
  readonly id: number;
  readonly arn: string;
  /** Of its wake-ups. */
  readonly topic: string;
  readonly isFifo: boolean;
  readonly row: QueueRow;
  /** Those that were set, without defaults. */
  readonly attributes: Attributes;
  readonly policy: string | undefined;
  readonly visibilityMs: number;
  readonly delayMs: number;
  /** Of a message. */
  readonly bytesMax: number;
  readonly retentionMs: number;
  readonly waitMs: number;
  readonly deduplicatesContent: boolean;
  /** Whether deduplication looks only at messages of the same group. */
  readonly deduplicatesByGroup: boolean;
  /** Whether bodies are kept encrypted. */
  readonly isSealed: boolean;
  readonly redrive: Redrive | undefined;
}

/** Of attributes that every queue has. */
export const DEFAULTS: Attributes = {
  VisibilityTimeout: "30",
  DelaySeconds: "0",
  MaximumMessageSize: String(MESSAGE_BYTES_MAX),
  MessageRetentionPeriod: "345600",
  ReceiveMessageWaitTimeSeconds: "0",
  // AWS encrypts unless it is told otherwise; here it costs something, and is done where it is asked for.
  SqsManagedSseEnabled: "false",
};

/** Of attributes that FIFO queues have too. */
export const FIFO_DEFAULTS: Attributes = {
  ContentBasedDeduplication: "false",
  DeduplicationScope: "queue",
  FifoThroughputLimit: "perQueue",
};

export function queueOf(row: QueueRow): Queue {
  const isFifo = isFifoName(row.name);
  const attributes = JSON.parse(row.attributes) as Record<string, string>;
  const all: Record<string, string> = { ...DEFAULTS, ...FIFO_DEFAULTS, ...attributes };
  const number = (name: string) => Number(all[name]);
  const { account, region, name } = row;
  return {
    account,
    region,
    name,
    id: row.queue_id,
    arn: queueArn(row),
    topic: queueTopic(row.queue_id),
    isFifo,
    row,
    attributes,
    policy: attributes["Policy"] || undefined,
    visibilityMs: number("VisibilityTimeout") * 1_000,
    delayMs: number("DelaySeconds") * 1_000,
    bytesMax: number("MaximumMessageSize"),
    retentionMs: number("MessageRetentionPeriod") * 1_000,
    waitMs: number("ReceiveMessageWaitTimeSeconds") * 1_000,
    deduplicatesContent: all["ContentBasedDeduplication"] === "true",
    deduplicatesByGroup: all["DeduplicationScope"] === "messageGroup",
    isSealed: all["SqsManagedSseEnabled"] === "true",
    redrive: readRedrive(attributes["RedrivePolicy"]),
  };
}

export function queueTopic(id: number): string {
  return `sqs.${id}`;
}

/** Of a policy that was checked when it was set. */
export function readRedrive(text: string | undefined): Redrive | undefined {
  if (!text) return undefined;
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(text) as Record<string, unknown>;
  return { deadLetterArn: String(deadLetterTargetArn), receivesMax: Number(maxReceiveCount) };
}
