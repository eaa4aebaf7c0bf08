/** GetQueueUrl, ListQueues, ListDeadLetterSourceQueues, DeleteQueue and PurgeQueue. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Sqs } from "../deps.ts";
import { invalidParameter, invalidValue, missingParameter, noQueueForYou, noSuchQueue } from "../errors.ts";
import { LIST_RESULTS_MAX, PURGE_INTERVAL_MS } from "../limits.ts";
import { queueUrl } from "../names.ts";
import { deadLetterSources, deleteQueueRow, listQueueNames, setPurged } from "../store/queues.ts";

export async function getQueueUrl(
  sqs: Sqs,
  input: Input<Client, "GetQueueUrl">,
  { account, region, endpoint }: RequestContext,
): Promise<Output<Client, "GetQueueUrl">> {
  if (!input.QueueName) throw missingParameter("QueueName");
  const owner = input.QueueOwnerAWSAccountId ?? account;
  const queue = await sqs.queues.find({ account: owner, region, name: input.QueueName });
  if (!queue) throw owner === account ? noSuchQueue() : noQueueForYou();
  return { QueueUrl: queueUrl(endpoint, queue) };
}

/** Without MaxResults up to a thousand, and no token for more, as on AWS. */
export async function listQueues(
  sqs: Sqs,
  { QueueNamePrefix: prefix = "", MaxResults, NextToken }: Input<Client, "ListQueues">,
  { account, region, endpoint }: RequestContext,
): Promise<Output<Client, "ListQueues">> {
  const count = resultsMax(MaxResults);
  const after = readToken(NextToken);
  const names = await listQueueNames(sqs.database, { account, region }, prefix, after, count + 1);
  const page = names.slice(0, count);
  const QueueUrls = page.map((name) => queueUrl(endpoint, { account, region, name }));
  const isMore = names.length > count && MaxResults !== undefined;
  return {
    ...(QueueUrls.length > 0 && { QueueUrls }),
    ...(isMore && { NextToken: writeToken(page.at(-1) ?? "") }),
  };
}

export async function listDeadLetterSourceQueues(
  sqs: Sqs,
  { QueueUrl, MaxResults, NextToken }: Input<Client, "ListDeadLetterSourceQueues">,
  { region, endpoint }: RequestContext,
): Promise<Output<Client, "ListDeadLetterSourceQueues">> {
  const { arn } = await sqs.queues.at(QueueUrl, region);
  const count = resultsMax(MaxResults);
  const sources = await deadLetterSources(sqs.database, arn, readToken(NextToken), count + 1);
  const page = sources.slice(0, count);
  const isMore = sources.length > count && MaxResults !== undefined;
  return {
    queueUrls: page.map(({ account, name }) => queueUrl(endpoint, { account, region, name })),
    ...(isMore && { NextToken: writeToken(page.at(-1)?.name ?? "") }),
  };
}

/**
 * The queue is gone once this is answered, and its messages with it. On AWS that takes up to 60 seconds, in which no queue of the name can be
 * made (QueueDeletedRecently); here it can at once.
 */
export async function deleteQueue(
  sqs: Sqs,
  input: Input<Client, "DeleteQueue">,
  { region }: RequestContext,
): Promise<object> {
  const queue = await sqs.queues.at(input.QueueUrl, region);
  await sqs.database.tx(async (tx) => {
    await deleteQueueRow(tx, queue.id);
    sqs.queues.forgetAfter(tx, queue);
  });
  sqs.receivers.forget(queue.id);
  sqs.fairness.forget(queue.id);
  sqs.queueMetrics.forget(queue.id);
  sqs.housekeeping.soon();
  return {};
}

/** All messages that were sent before are gone once this is answered. */
export async function purgeQueue(
  sqs: Sqs,
  input: Input<Client, "PurgeQueue">,
  { region }: RequestContext,
): Promise<object> {
  const queue = await sqs.queues.at(input.QueueUrl, region);
  const now = sqs.clock.now();
  const isTaken = await sqs.database.tx((tx) => setPurged(tx, queue.id, now, now - PURGE_INTERVAL_MS));
  if (!isTaken)
    throw new AwsError(
      "PurgeQueueInProgress",
      `Only one PurgeQueue operation on ${queue.name} is allowed every ${PURGE_INTERVAL_MS / 1_000} seconds.`,
    );
  await sqs.housekeeping.purge(queue);
  return {};
}

function resultsMax(given: number | undefined): number {
  if (given === undefined) return LIST_RESULTS_MAX;
  if (!Number.isInteger(given) || given < 1 || given > LIST_RESULTS_MAX)
    throw invalidValue(given, "MaxResults", `Must be between 1 and ${LIST_RESULTS_MAX}, if provided.`);
  return given;
}

function writeToken(after: string): string {
  return Buffer.from(`after ${after}`).toString("base64url");
}

/** The name after which a page begins. */
function readToken(token: string | undefined): string {
  if (token === undefined) return "";
  const [, after] = /^after ([A-Za-z0-9_.-]+)$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (after === undefined) throw invalidParameter("Invalid NextToken value.");
  return after;
}
