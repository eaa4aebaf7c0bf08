/** DeleteMessage and DeleteMessageBatch. */
import type { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Sqs } from "../deps.ts";
import { invalidValue } from "../errors.ts";
import { checkEntries, failedEntry } from "../messages/batch.ts";
import type { FailedEntry } from "../messages/batch.ts";
import { receiptOf } from "../messages/handle.ts";
import type { Receipt } from "../messages/message.ts";
import type { Queue } from "../queues/settings.ts";

export async function deleteMessage(
  sqs: Sqs,
  input: Input<Client, "DeleteMessage">,
  context: RequestContext,
): Promise<object> {
  const queue = await sqs.queues.at(input.QueueUrl, context.region);
  const receipt = receiptOf(queue, input.ReceiptHandle);
  const [deletion] = await sqs.deletions.delete(queue, [receipt]);
  if (deletion === "expired") throw expired(input.ReceiptHandle);
  return {};
}

export async function deleteMessageBatch(
  sqs: Sqs,
  input: Input<Client, "DeleteMessageBatch">,
  context: RequestContext,
): Promise<Output<Client, "DeleteMessageBatch">> {
  const queue = await sqs.queues.at(input.QueueUrl, context.region);
  return deleteMessages(sqs, queue, deletionsAsked(queue, input.Entries));
}

interface Entry {
  readonly Id?: string | undefined;
  readonly ReceiptHandle?: string | undefined;
}

/** The entries of a batch, those whose handles can be read and those that failed. */
interface Asked {
  readonly named: readonly (Entry & { readonly Id: string })[];
  readonly receipts: readonly Receipt[];
  readonly Failed: FailedEntry[];
}

/** @throws AwsError for a batch of which nothing is deleted */
export function deletionsAsked(queue: Queue, given: readonly Entry[] | undefined): Asked {
  const receipts: Receipt[] = [];
  const named: (Entry & { Id: string })[] = [];
  const Failed: FailedEntry[] = [];
  for (const entry of checkEntries(given, "DeleteMessageBatchRequestEntry"))
    try {
      receipts.push(receiptOf(queue, entry.ReceiptHandle));
      named.push(entry);
    } catch (error) {
      Failed.push(failedEntry(entry.Id, error));
    }
  return { named, receipts, Failed };
}

export async function deleteMessages(
  sqs: Sqs,
  queue: Queue,
  { named, receipts, Failed }: Asked,
): Promise<Output<Client, "DeleteMessageBatch">> {
  const deletions = receipts.length === 0 ? [] : await sqs.deletions.delete(queue, receipts);
  const Successful: { Id: string }[] = [];
  for (const [i, { Id, ReceiptHandle }] of named.entries())
    if (deletions[i] === "expired") Failed.push(failedEntry(Id, expired(ReceiptHandle)));
    else Successful.push({ Id });
  return { Successful, Failed };
}

/** Only FIFO queues refuse it: the message may be on its way to another receiver. */
function expired(handle: string | undefined): AwsError {
  return invalidValue(handle, "ReceiptHandle", "The receipt handle has expired.");
}
