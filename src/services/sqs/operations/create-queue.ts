/** CreateQueue. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Sqs } from "../deps.ts";
import { invalidParameter, missingParameter, unknownAttribute } from "../errors.ts";
import { isFifoName, isFifoQueueName, isQueueName, queueUrl } from "../names.ts";
import { checkAttributes, merged, requirePrincipals } from "../queues/attributes.ts";
import { checkDeadLetterQueue, difference } from "../queues/redrive.ts";
import { DEFAULTS, FIFO_DEFAULTS, readRedrive } from "../queues/settings.ts";
import type { Attributes } from "../queues/settings.ts";
import { checkTags } from "../queues/tags.ts";
import { addFifo } from "../store/groups.ts";
import { getQueue, insertQueue, nextNumber } from "../store/queues.ts";

/** A queue that is there already is answered as if it had just been made, where it is as it is asked for. */
export async function createQueue(
  sqs: Sqs,
  input: Input<Client, "CreateQueue">,
  context: RequestContext,
): Promise<Output<Client, "CreateQueue">> {
  const { FifoQueue, ...given } = (input.Attributes ?? {}) as Record<string, string>;
  const name = checkName(input.QueueName, FifoQueue);
  const id = { account: context.account, region: context.region, name };
  const isFifo = isFifoName(name);
  const attributes = checkAttributes(given, { isFifo, policies: sqs.policies });
  await requirePrincipals(attributes, id.account, sqs.policies);
  const tags = checkTags(input.tags ?? {});
  await sqs.database.tx(async (tx) => {
    const existing = await getQueue(tx, id);
    if (existing) {
      const own = JSON.parse(existing.attributes) as Attributes;
      const error = difference({ ...DEFAULTS, ...(isFifo && FIFO_DEFAULTS), ...own }, attributes);
      if (error) throw error;
      return;
    }
    const kept = merged({}, attributes);
    await checkDeadLetterQueue(tx, id, kept);
    const now = sqs.clock.now();
    const queue_id = await nextNumber(tx, "queue");
    await insertQueue(tx, {
      ...id,
      queue_id,
      created_at: now,
      modified_at: now,
      purged_at: 0,
      attributes: JSON.stringify(kept),
      tags: JSON.stringify(tags),
      dead_letter_arn: readRedrive(kept["RedrivePolicy"])?.deadLetterArn ?? "",
    });
    if (isFifo) await addFifo(tx, queue_id);
    sqs.queues.forgetAfter(tx, id);
  });
  return { QueueUrl: queueUrl(context.endpoint, id) };
}

/** @throws AwsError InvalidParameterValue, InvalidAttributeName */
function checkName(name: string | undefined, fifoQueue: string | undefined): string {
  if (!name) throw missingParameter("QueueName");
  // As AWS has it: an attribute that only FIFO queues have, and only with one value.
  if (fifoQueue !== undefined && fifoQueue !== "true") throw unknownAttribute("FifoQueue");
  if (fifoQueue === "true") {
    if (isFifoQueueName(name)) return name;
    throw invalidParameter(
      "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.",
    );
  }
  if (isQueueName(name)) return name;
  throw invalidParameter(
    "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
  );
}
