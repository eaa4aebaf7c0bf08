/** SendMessage and SendMessageBatch. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Sqs } from "../deps.ts";
import { noSuchQueue } from "../errors.ts";
import { MESSAGE_BYTES_MAX } from "../limits.ts";
import { checkEntries, failedEntry } from "../messages/batch.ts";
import type { FailedEntry } from "../messages/batch.ts";
import { checkMessage } from "../messages/check.ts";
import type { Checked } from "../messages/check.ts";
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
  const { ids, clock } = sqs;
  const sender = senderId(context.principal);
  const traceHeader = traceHeaderOf(context);
  const message = checkMessage(input, { queue, sender, now: clock.now(), ids, traceHeader });
  const [sent] = (await sqs.sends.send(queue, [message])) ?? [];
  if (!sent) throw noSuchQueue();
  const { MD5OfMessageBody, ...rest } = told(queue, message, sent);
  return { MD5OfMessageBody, ...rest };
}

export async function sendMessageBatch(
  sqs: Sqs,
  input: Input<Client, "SendMessageBatch">,
  context: RequestContext,
): Promise<Output<Client, "SendMessageBatch">> {
  const queue = await sqs.queues.at(input.QueueUrl, context.region);
  const entries = checkEntries(input.Entries, "SendMessageBatchRequestEntry");
  const given = {
    queue,
    sender: senderId(context.principal),
    now: sqs.clock.now(),
    ids: sqs.ids,
    traceHeader: traceHeaderOf(context),
  };
  const checked: { readonly Id: string; readonly message: Checked }[] = [];
  const Failed: FailedEntry[] = [];
  for (const { Id, ...entry } of entries)
    try {
      checked.push({ Id, message: checkMessage(entry, given) });
    } catch (error) {
      Failed.push(failedEntry(Id, error));
    }
  refuseTooLong(checked.reduce((bytes, { message }) => bytes + message.bytes, 0));
  const messages = checked.map(({ message }) => message);
  const sent = messages.length === 0 ? [] : await sqs.sends.send(queue, messages);
  if (!sent) throw noSuchQueue();
  const Successful = checked.map(({ Id, message }, i) => ({
    Id,
    ...told(queue, message, sent[i] as Sent),
  }));
  return { Successful, Failed };
}

/** The SDKs in a function send on the trace that it was called with, by which Lambda knows functions that feed themselves. */
function traceHeaderOf({ headers }: RequestContext): string | undefined {
  const given = headers["x-amzn-trace-id"];
  return typeof given === "string" && given !== "" ? given : undefined;
}

function refuseTooLong(bytes: number): void {
  if (bytes > MESSAGE_BYTES_MAX)
    throw new AwsError(
      "BatchRequestTooLong",
      `Batch requests cannot be longer than ${MESSAGE_BYTES_MAX} bytes. You have sent ${bytes} bytes.`,
    );
}

function told(queue: Queue, message: Checked, sent: Sent) {
  return {
    MessageId: sent.messageId,
    MD5OfMessageBody: message.md5,
    ...(message.attributesMd5 !== undefined && { MD5OfMessageAttributes: message.attributesMd5 }),
    ...(message.systemAttributesMd5 !== undefined && {
      MD5OfMessageSystemAttributes: message.systemAttributesMd5,
    }),
    ...(queue.isFifo && { SequenceNumber: sequenceNumber(sent.seq) }),
  };
}
