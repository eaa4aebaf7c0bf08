/** SendMessage and SendMessageBatch. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Sqs } from "../deps.ts";
import { noSuchQueue } from "../errors.ts";
import { checkEntries, failedEntry } from "../messages/batch.ts";
import type { FailedEntry } from "../messages/batch.ts";
import { checkBatch, checkMessage } from "../messages/check.ts";
import type { Checked, MessageInput } from "../messages/check.ts";
import { sequenceNumber } from "../messages/message.ts";
import { senderId } from "../messages/sender.ts";
import type { Sent } from "../messages/sends.ts";
import type { Queue } from "../queues/settings.ts";

export async function sendMessage(
  sqs: Sqs,
  input: Input<Client, "SendMessage">,
  context: RequestContext,
): Promise<Output<Client, "SendMessage">> {
  const queue = await sqs.queues.at(input.QueueUrl, context.region);
  const { ids, clock, sealer } = sqs;
  const sender = senderId(context.principal);
  const traceHeader = traceHeaderOf(context);
  const message = checkMessage(input, { queue, sender, now: clock.now(), ids, sealer, traceHeader });
  return sendChecked(sqs, queue, message);
}

export async function sendChecked(
  sqs: Sqs,
  queue: Queue,
  message: Checked,
): Promise<Output<Client, "SendMessage">> {
  const [sent] = (await sqs.sends.send(queue, [message])) ?? [];
  if (!sent) throw noSuchQueue();
  return told(queue, message, sent);
}

export async function sendMessageBatch(
  sqs: Sqs,
  input: Input<Client, "SendMessageBatch">,
  context: RequestContext,
): Promise<Output<Client, "SendMessageBatch">> {
  const queue = await sqs.queues.at(input.QueueUrl, context.region);
  const sender = { sender: senderId(context.principal), traceHeader: traceHeaderOf(context) };
  return sendCheckedBatch(sqs, queue, checkedBatch(sqs, queue, input.Entries, sender));
}

/** The entries of a batch, those that can be sent and those that cannot. */
export interface CheckedBatch {
  readonly ids: readonly string[];
  readonly messages: readonly Checked[];
  readonly Failed: FailedEntry[];
}

/** @throws AwsError for a batch of which nothing is sent */
export function checkedBatch(
  { clock, ids, sealer }: Pick<Sqs, "clock" | "ids" | "sealer">,
  queue: Queue,
  given: readonly (MessageInput & { readonly Id?: string | undefined })[] | undefined,
  sender: { readonly sender: string; readonly traceHeader?: string | undefined },
): CheckedBatch {
  const entries = checkEntries(given, "SendMessageBatchRequestEntry");
  checkBatch(entries, queue);
  const setting = { ...sender, queue, now: clock.now(), ids, sealer };
  const batch = { ids: [] as string[], messages: [] as Checked[], Failed: [] as FailedEntry[] };
  for (const entry of entries)
    try {
      const message = checkMessage(entry, setting);
      batch.messages.push(message);
      batch.ids.push(entry.Id);
    } catch (error) {
      batch.Failed.push(failedEntry(entry.Id, error));
    }
  return batch;
}

export async function sendCheckedBatch(
  sqs: Sqs,
  queue: Queue,
  { ids, messages, Failed }: CheckedBatch,
): Promise<Output<Client, "SendMessageBatch">> {
  const sent = messages.length === 0 ? [] : await sqs.sends.send(queue, messages);
  if (!sent) throw noSuchQueue();
  const Successful = messages.map((message, i) => ({
    Id: ids[i],
    ...told(queue, message, sent[i] as Sent),
  }));
  return { Successful, Failed };
}

/** The SDKs in a function send on the trace that it was called with, by which Lambda knows functions that feed themselves. */
function traceHeaderOf({ headers }: RequestContext): string | undefined {
  const given = headers["x-amzn-trace-id"];
  return typeof given === "string" && given !== "" ? given : undefined;
}

function told(queue: Queue, message: Checked, sent: Sent) {
  return {
    MessageId: sent.messageId,
    MD5OfMessageBody: message.bodyMd5,
    ...(message.attributesMd5 !== undefined && { MD5OfMessageAttributes: message.attributesMd5 }),
    ...(message.systemAttributesMd5 !== undefined && {
      MD5OfMessageSystemAttributes: message.systemAttributesMd5,
    }),
    ...(queue.isFifo && { SequenceNumber: sequenceNumber(sent.seq) }),
  };
}
