/** Messages: as they are sent, and as they are received. */
import type { Queue } from "../queues/settings.ts";
import type { BodySealer } from "./sealing.ts";
import { unkeep } from "./attributes.ts";
import type { KeptAttributes } from "./attributes.ts";

/** A message that was checked and may be written. */
export interface NewMessage {
  readonly messageId: string;
  readonly body: string;
  /** Of the body and its attributes. */
  readonly bytes: number;
  /** Of the body, in hex; "" of one that is sealed. */
  readonly md5: string;
  /** SenderId: an IAM id, an account, or a service's name. */
  readonly sender: string;
  readonly sentAt: number;
  readonly visibleAt: number;
  readonly groupId: string | undefined;
  /** Of a message to a FIFO queue. */
  readonly deduplicationId: string | undefined;
  /** JSON of {@link Extra}; null where there is nothing of it. */
  readonly extra: string | null;
}

/** What few messages have, by short names since each message carries them. */
export interface Extra {
  readonly attributes?: KeptAttributes;
  readonly md5?: string;
  readonly trace?: string;
  readonly deduplicationId?: string;
  /** The queue that a dead letter came from. */
  readonly deadLetterOf?: string;
}

/** A message in the store. */
export interface MessageRow {
  readonly seq: number;
  readonly visible_at: number;
  readonly sent_at: number;
  readonly receives: number;
  readonly claims: number;
  readonly first_at: number;
  readonly claimed_at: number;
  readonly message_id: string;
  readonly sender: string;
  readonly md5: string;
  readonly group_id: string | null;
  readonly extra: string | null;
  readonly body: string;
}

/** A message that was received: all that ReceiveMessage can tell of it. */
export interface QueueMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly md5OfBody: string;
  /** All system attributes, as ReceiveMessage names them. */
  readonly attributes: Record<string, string>;
  readonly messageAttributes: Record<
    string,
    {
      readonly DataType: string;
      readonly StringValue?: string | undefined;
      readonly BinaryValue?: Uint8Array | undefined;
    }
  >;
  readonly md5OfMessageAttributes?: string;
}

export function extraOf(extra: Extra): string | null {
  for (const name in extra) if (extra[name as keyof Extra] !== undefined) return JSON.stringify(extra);
  return null;
}

/** @param row As it is once it was received. */
export function received(sealer: BodySealer, queue: Queue, row: MessageRow): QueueMessage {
  const { body, md5 } = sealer.read(row);
  const extra = row.extra === null ? NO_EXTRA : (JSON.parse(row.extra) as Extra);
  const attributes: Record<string, string> = {
    SenderId: row.sender,
    SentTimestamp: String(row.sent_at),
    ApproximateReceiveCount: String(row.receives),
    ApproximateFirstReceiveTimestamp: String(row.first_at),
  };
  if (row.group_id !== null) attributes["MessageGroupId"] = row.group_id;
  if (queue.isFifo) attributes["SequenceNumber"] = sequenceNumber(row.seq);
  if (extra.deduplicationId !== undefined) attributes["MessageDeduplicationId"] = extra.deduplicationId;
  if (extra.trace !== undefined) attributes["AWSTraceHeader"] = extra.trace;
  if (extra.deadLetterOf !== undefined) attributes["DeadLetterQueueSourceArn"] = extra.deadLetterOf;
  return {
    messageId: row.message_id,
    receiptHandle: handleOf(queue, row),
    body,
    md5OfBody: md5,
    attributes,
    messageAttributes: extra.attributes ? unkeep(extra.attributes) : {},
    ...(extra.md5 !== undefined && { md5OfMessageAttributes: extra.md5 }),
  };
}

const NO_EXTRA: Extra = {};

/** Twenty digits, as AWS's have: they are compared as numbers and as texts. */
export function sequenceNumber(seq: number): string {
  return `1${String(seq).padStart(19, "0")}`;
}

/** What a receipt handle says: one claim of one message. */
export interface Receipt {
  readonly queueId: number;
  readonly seq: number;
  readonly claims: number;
}

const HANDLE = /^(\d{1,16}) (\d{1,16}) (\d{1,16}) [0-9a-f-]{36}$/;

/** @param row As it is once it was received. */
export function handleOf({ id }: Queue, { seq, claims, message_id }: MessageRow): string {
  return Buffer.from(`${id} ${seq} ${claims} ${message_id}`, "latin1").toString("base64");
}

/** Undefined for what is no receipt handle. */
export function readHandle(handle: string): Receipt | undefined {
  const [, queueId, seq, claims] = HANDLE.exec(Buffer.from(handle, "base64").toString("latin1")) ?? [];
  return claims === undefined
    ? undefined
    : { queueId: Number(queueId), seq: Number(seq), claims: Number(claims) };
}
