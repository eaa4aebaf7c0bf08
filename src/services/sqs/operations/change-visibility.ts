/** ChangeMessageVisibility and ChangeMessageVisibilityBatch. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Client, Sqs } from "../deps.ts";
import { invalidValue, missingParameter } from "../errors.ts";
import { VISIBILITY_SECONDS_MAX } from "../limits.ts";
import { checkEntries, failedEntry } from "../messages/batch.ts";
import type { FailedEntry } from "../messages/batch.ts";
import { settleGroup } from "../messages/groups.ts";
import { receiptOf } from "../messages/handle.ts";
import { inFlight } from "../messages/in-flight.ts";
import type { Receipt } from "../messages/message.ts";
import type { Queue } from "../queues/settings.ts";
import { holdGroup } from "../store/groups.ts";
import { setVisible } from "../store/messages.ts";

interface Change {
  readonly ReceiptHandle?: string | undefined;
  readonly VisibilityTimeout?: number | undefined;
}

interface Wanted {
  readonly receipt: Receipt;
  /** As it was given. */
  readonly handle: string | undefined;
  readonly seconds: number;
}

export async function changeMessageVisibility(
  sqs: Sqs,
  input: Input<Client, "ChangeMessageVisibility">,
  context: RequestContext,
): Promise<object> {
  const queue = await sqs.queues.at(input.QueueUrl, context.region);
  const receipt = receiptOf(queue, input.ReceiptHandle);
  const seconds = readSeconds(input);
  const error = await sqs.database.tx(
    (tx) => change(sqs, tx, queue, { receipt, handle: input.ReceiptHandle, seconds }),
    {
      isolation: "read committed",
    },
  );
  if (error) throw error;
  return {};
}

export async function changeMessageVisibilityBatch(
  sqs: Sqs,
  input: Input<Client, "ChangeMessageVisibilityBatch">,
  context: RequestContext,
): Promise<Output<Client, "ChangeMessageVisibilityBatch">> {
  const queue = await sqs.queues.at(input.QueueUrl, context.region);
  const entries = checkEntries(input.Entries, "ChangeMessageVisibilityBatchRequestEntry");
  const Failed: FailedEntry[] = [];
  const changes: (Wanted & { readonly Id: string })[] = [];
  for (const entry of entries)
    try {
      const receipt = receiptOf(queue, entry.ReceiptHandle);
      changes.push({ Id: entry.Id, receipt, handle: entry.ReceiptHandle, seconds: readSeconds(entry) });
    } catch (error) {
      Failed.push(failedEntry(entry.Id, error));
    }
  const errors = await sqs.database.tx(
    async (tx) => {
      const found: (AwsError | undefined)[] = [];
      for (const wanted of changes) found.push(await change(sqs, tx, queue, wanted));
      return found;
    },
    { isolation: "read committed" },
  );
  const Successful: { Id: string }[] = [];
  for (const [i, { Id }] of changes.entries()) {
    const error = errors[i];
    if (error) Failed.push(failedEntry(Id, error));
    else Successful.push({ Id });
  }
  return { Successful, Failed };
}

function readSeconds({ VisibilityTimeout: seconds }: Change): number {
  if (seconds === undefined) throw missingParameter("VisibilityTimeout");
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > VISIBILITY_SECONDS_MAX)
    throw invalidValue(
      seconds,
      "VisibilityTimeout",
      `VisibilityTimeout must be an integer between 0 and ${VISIBILITY_SECONDS_MAX}.`,
    );
  return seconds;
}

/** @returns what is wrong, with nothing done */
async function change(
  { clock, database, signals }: Pick<Sqs, "clock" | "database" | "signals">,
  tx: Transaction,
  queue: Queue,
  { receipt, handle, seconds }: Wanted,
): Promise<AwsError | undefined> {
  const now = clock.now();
  const row = await inFlight(tx, database.engine, queue, receipt);
  if (row?.claims !== receipt.claims)
    return invalidValue(
      handle,
      "ReceiptHandle",
      "Message does not exist or is not available for visibility timeout change.",
    );
  // A standard queue's message that is visible again, and was not received anew, is hidden once more, as on AWS.
  if (row.visible_at <= now && queue.isFifo)
    return new AwsError("MessageNotInflight", "The message referred to isn't in flight.");
  // In whole seconds, so that the most can still be asked for right after the receipt.
  const hiddenSeconds = row.claimed_at === 0 ? 0 : Math.floor((now - row.claimed_at) / 1_000);
  if (hiddenSeconds + seconds > VISIBILITY_SECONDS_MAX)
    return invalidValue(
      seconds,
      "VisibilityTimeout",
      `Total VisibilityTimeout for the message is beyond the limit [${VISIBILITY_SECONDS_MAX} seconds]`,
    );
  if (queue.isFifo && row.group_id !== null) await holdGroup(tx, queue.id, row.group_id);
  const visibleAt = now + seconds * 1_000;
  await setVisible(tx, receipt, visibleAt);
  let dueAt: number | undefined = visibleAt;
  if (queue.isFifo && row.group_id !== null) dueAt = await settleGroup(tx, queue.id, row.group_id, now);
  if (dueAt !== undefined) await signals.send(tx, queue.topic, dueAt);
  return undefined;
}
