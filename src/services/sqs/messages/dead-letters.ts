/** Moves a message that was received too often to its queue's dead-letter queue. */
import type { Transaction } from "../../../store/database.ts";
import type { Signals } from "../../../store/signals.ts";
import type { QueueRegistry } from "../queues/registry.ts";
import type { Queue } from "../queues/settings.ts";
import { addToGroup, takeNumbers } from "../store/groups.ts";
import { moveMessage } from "../store/messages.ts";
import { extraOf } from "./message.ts";
import type { Extra, MessageRow } from "./message.ts";
import type { Sequence } from "./sequence.ts";

interface Deps {
  readonly queues: QueueRegistry;
  readonly sequence: Sequence;
  readonly signals: Signals;
}

/** The dead-letter queue of a queue; undefined where it has none, or that one is gone: then its messages stay where they are. */
export async function deadLetterQueue(
  { queues }: Deps,
  tx: Transaction,
  { redrive, isFifo }: Queue,
): Promise<Queue | undefined> {
  const found = redrive && (await queues.findIn(tx, redrive.deadLetterArn));
  return found?.isFifo === isFifo ? found : undefined;
}

/**
 * A message keeps its id, its count of receives and, in a standard queue, the time from which its retention counts; in a FIFO queue that
 * begins anew, and the deduplication id becomes the message's id. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 * @returns false, with nothing done, where the dead-letter queue is gone
 */
export async function moveToDeadLetters(
  deps: Deps,
  tx: Transaction,
  { from, to }: { readonly from: Queue; readonly to: Queue },
  row: MessageRow,
  now: number,
): Promise<boolean> {
  const extra: Extra = {
    ...(row.extra === null ? {} : (JSON.parse(row.extra) as Extra)),
    // Of two messages that had the same one, neither is to be dropped as a duplicate.
    ...(to.isFifo && { deduplicationId: row.message_id }),
    deadLetterOf: from.arn,
  };
  return relocate(deps, tx, { from, to }, row, {
    visibleAt: now,
    sentAt: to.isFifo ? now : row.sent_at,
    receives: row.receives,
    firstAt: row.first_at,
    messageId: row.message_id,
    extra: extraOf(extra),
  });
}

export interface Changed {
  readonly visibleAt: number;
  readonly sentAt: number;
  readonly receives: number;
  readonly firstAt: number;
  readonly messageId: string;
  readonly extra: string | null;
}

/** Puts a message into another queue, whose receivers wake. @returns false, with nothing done, where that queue is gone */
export async function relocate(
  deps: Deps,
  tx: Transaction,
  { from, to }: { readonly from: Queue; readonly to: Queue },
  row: MessageRow,
  changed: Changed,
): Promise<boolean> {
  const seq = to.isFifo ? await takeNumbers(tx, to.id, 1) : deps.sequence.take(1);
  if (seq === undefined) return false;
  await moveMessage(tx, { queueId: from.id, seq: row.seq }, { ...changed, queueId: to.id, seq });
  if (to.isFifo) await addToGroup(tx, to.id, row.group_id ?? "", seq, changed.visibleAt);
  await deps.signals.send(tx, to.topic, changed.visibleAt);
  return true;
}
