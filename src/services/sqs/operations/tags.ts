/** TagQueue, UntagQueue and ListQueueTags. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Sqs } from "../deps.ts";
import { missingParameter, noSuchQueue } from "../errors.ts";
import type { Queue } from "../queues/settings.ts";
import { checkTags } from "../queues/tags.ts";
import { getQueue, setTags } from "../store/queues.ts";

type Tags = Readonly<Record<string, string>>;

export async function listQueueTags(
  sqs: Sqs,
  input: Input<Client, "ListQueueTags">,
  { region }: RequestContext,
): Promise<Output<Client, "ListQueueTags">> {
  const { row } = await sqs.queues.at(input.QueueUrl, region);
  const Tags = JSON.parse(row.tags) as Record<string, string>;
  return Object.keys(Tags).length === 0 ? {} : { Tags };
}

export async function tagQueue(
  sqs: Sqs,
  input: Input<Client, "TagQueue">,
  { region }: RequestContext,
): Promise<object> {
  const queue = await sqs.queues.at(input.QueueUrl, region);
  if (!input.Tags || Object.keys(input.Tags).length === 0) throw missingParameter("Tags");
  const given = checkTags(input.Tags);
  await change(sqs, queue, (tags) => checkTags({ ...tags, ...given }));
  return {};
}

export async function untagQueue(
  sqs: Sqs,
  input: Input<Client, "UntagQueue">,
  { region }: RequestContext,
): Promise<object> {
  const queue = await sqs.queues.at(input.QueueUrl, region);
  const keys = input.TagKeys ?? [];
  if (keys.length === 0) throw missingParameter("TagKeys");
  await change(sqs, queue, (tags) =>
    Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key))),
  );
  return {};
}

async function change(sqs: Sqs, queue: Queue, to: (tags: Tags) => Tags): Promise<void> {
  await sqs.database.tx(async (tx) => {
    const row = await getQueue(tx, queue);
    if (row?.queue_id !== queue.id) throw noSuchQueue();
    await setTags(tx, queue.id, JSON.stringify(to(JSON.parse(row.tags) as Tags)));
    sqs.queues.forgetAfter(tx, queue);
  });
}
