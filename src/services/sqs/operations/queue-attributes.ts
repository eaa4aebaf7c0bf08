/** GetQueueAttributes and SetQueueAttributes. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Client, Sqs } from "../deps.ts";
import { invalidAttributeValue, missingParameter, noSuchQueue, unknownAttribute } from "../errors.ts";
import { settleGroup } from "../messages/groups.ts";
import { checkAttributes, merged, requirePrincipals } from "../queues/attributes.ts";
import { checkDeadLetterQueue } from "../queues/redrive.ts";
import { DEFAULTS, FIFO_DEFAULTS, queueOf, readRedrive } from "../queues/settings.ts";
import type { Attributes, Queue } from "../queues/settings.ts";
import { groupsAfter } from "../store/groups.ts";
import { delayAgain } from "../store/messages.ts";
import { getQueue, updateQueue } from "../store/queues.ts";

const COUNTS = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
] as const;
const FACTS = ["QueueArn", "CreatedTimestamp", "LastModifiedTimestamp"] as const;
const OPTIONAL = ["Policy", "RedrivePolicy", "RedriveAllowPolicy"] as const;
const ENCRYPTION = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"] as const;

const KNOWN: ReadonlySet<string> = new Set([
  "All",
  ...Object.keys(DEFAULTS),
  ...Object.keys(FIFO_DEFAULTS),
  "FifoQueue",
  ...COUNTS,
  ...FACTS,
  ...OPTIONAL,
  ...ENCRYPTION,
]);

export async function getQueueAttributes(
  sqs: Sqs,
  input: Input<Client, "GetQueueAttributes">,
  { region }: RequestContext,
): Promise<Output<Client, "GetQueueAttributes">> {
  const queue = await sqs.queues.at(input.QueueUrl, region);
  const names: readonly string[] = input.AttributeNames ?? [];
  for (const name of names) if (!KNOWN.has(name)) throw unknownAttribute(name);
  if (names.length === 0) return {};
  const isAll = names.includes("All");
  const counts = isAll || COUNTS.some((name) => names.includes(name)) ? await countsOf(sqs, queue) : {};
  const all = { ...settings(queue), ...counts };
  const Attributes = isAll
    ? all
    : Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  return Object.keys(Attributes).length === 0 ? {} : { Attributes };
}

function settings(queue: Queue): Attributes {
  const { row, isFifo, attributes, arn } = queue;
  return {
    ...DEFAULTS,
    ...(isFifo && { FifoQueue: "true", ...FIFO_DEFAULTS }),
    ...attributes,
    QueueArn: arn,
    CreatedTimestamp: String(Math.floor(row.created_at / 1_000)),
    LastModifiedTimestamp: String(Math.floor(row.modified_at / 1_000)),
  };
}

async function countsOf(sqs: Sqs, queue: Queue): Promise<Attributes> {
  const { visible, inFlight, delayed } = await sqs.counts.of(queue);
  return {
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
  };
}

export async function setQueueAttributes(
  sqs: Sqs,
  input: Input<Client, "SetQueueAttributes">,
  { region }: RequestContext,
): Promise<object> {
  const queue = await sqs.queues.at(input.QueueUrl, region);
  if (!input.Attributes) throw missingParameter("Attribute.Name");
  const { FifoQueue, ...rest } = input.Attributes as Record<string, string>;
  // A queue stays what it was made.
  if (FifoQueue !== undefined && !queue.isFifo) throw unknownAttribute("FifoQueue");
  if (FifoQueue !== undefined && FifoQueue !== "true")
    throw invalidAttributeValue("FifoQueue", "Modifying queue type is not supported.");
  const given = checkAttributes(rest, { isFifo: queue.isFifo, policies: sqs.policies });
  await requirePrincipals(given, queue.account, sqs.policies);
  await changeAttributes(sqs, queue, () => given);
  return {};
}

/** Changes what a queue has, by what it had. */
export async function changeAttributes(
  sqs: Sqs,
  queue: Queue,
  change: (before: Attributes) => Attributes,
): Promise<void> {
  await sqs.database.tx(async (tx) => {
    const row = await getQueue(tx, queue);
    if (row?.queue_id !== queue.id) throw noSuchQueue();
    const before = queueOf(row);
    const given = change(before.attributes);
    const after = merged(before.attributes, given);
    if (given["RedrivePolicy"]) await checkDeadLetterQueue(tx, queue, after);
    const changed = {
      ...row,
      attributes: JSON.stringify(after),
      dead_letter_arn: readRedrive(after["RedrivePolicy"])?.deadLetterArn ?? "",
      modified_at: sqs.clock.now(),
    };
    await updateQueue(tx, changed);
    const { delayMs } = queueOf(changed);
    if (queue.isFifo && delayMs !== before.delayMs) await delayAll(sqs, tx, queue, delayMs);
    sqs.queues.forgetAfter(tx, queue);
    // Who waits may get something by it: messages of another delay, or kept longer.
    await sqs.signals.send(tx, queue.topic, 0);
  });
}

/** A FIFO queue's delay holds for the messages that wait already too; a standard queue's only for later ones. */
async function delayAll(sqs: Sqs, tx: Transaction, { id }: Queue, delayMs: number): Promise<void> {
  await delayAgain(tx, id, delayMs);
  const now = sqs.clock.now();
  for (let after: string | undefined = ""; after !== undefined;) {
    const groups: string[] = await groupsAfter(tx, id, after, 500);
    for (const group of groups) await settleGroup(tx, id, group, now);
    after = groups.at(-1);
  }
}
