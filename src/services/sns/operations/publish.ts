/** Publish and PublishBatch: durable, and with the queues and functions that get it, when they are answered. */
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Sns } from "../deps.ts";
import { invalid, noSuchTopic } from "../errors.ts";
import { BATCH_ENTRIES_MAX, MESSAGE_BYTES_DEFAULT } from "../limits.ts";
import { checkMessage } from "../messages/check.ts";
import type { Message } from "../messages/check.ts";
import type { Topic } from "../topics/topic.ts";

type BatchInput = Input<Client, "PublishBatch">;
type Entry = NonNullable<BatchInput["PublishBatchRequestEntries"]>[number];
type BatchOutput = Output<Client, "PublishBatch">;
type Successful = NonNullable<BatchOutput["Successful"]>[number];

const ENTRY_ID = /^[A-Za-z0-9_-]{1,80}$/;

export async function publish(
  sns: Sns,
  input: Input<Client, "Publish">,
  context: RequestContext,
): Promise<Output<Client, "Publish">> {
  if (input.PhoneNumber !== undefined)
    throw notImplemented("Publish to a PhoneNumber: there is no telephone network");
  const arn = input.TopicArn ?? input.TargetArn;
  if (arn === undefined) throw invalid("TopicArn or TargetArn Reason: no value for required parameter");
  if (/^arn:aws[a-z-]*:sns:[^:]*:[^:]*:endpoint\//.test(arn))
    throw notImplemented("Publish to a platform endpoint: there are no mobile push services");
  const topic = await sns.topics.at(arn, context.region);
  const message = checkMessage(input, topic);
  const [published] = await sns.publisher.publish(topic, [message], traceOf(context));
  if (!published) throw noSuchTopic();
  const { messageId: MessageId, sequenceNumber } = published;
  return { MessageId, ...(sequenceNumber !== undefined && { SequenceNumber: sequenceNumber }) };
}

/** One entry that no message can be refuses them all, as on AWS: nothing of them is published. */
export async function publishBatch(
  sns: Sns,
  { TopicArn, PublishBatchRequestEntries: entries = [] }: BatchInput,
  context: RequestContext,
): Promise<BatchOutput> {
  checkEntries(entries);
  const topic = await sns.topics.at(TopicArn, context.region);
  const messages = entries.map((entry) => checkMessage(entry, { ...topic, bytesMax: Infinity }));
  requireShort(messages, topic);
  const published = await sns.publisher.publish(topic, messages, traceOf(context));
  const Successful = published.map((one, at): Successful => {
    if (!one) throw noSuchTopic();
    const { messageId: MessageId, sequenceNumber } = one;
    return {
      Id: entries[at]?.Id,
      MessageId,
      ...(sequenceNumber !== undefined && { SequenceNumber: sequenceNumber }),
    };
  });
  return { Successful, Failed: [] };
}

function checkEntries(entries: readonly Entry[]): void {
  if (entries.length === 0)
    throw new AwsError("EmptyBatchRequestException", "The batch request doesn't contain any entries.");
  if (entries.length > BATCH_ENTRIES_MAX)
    throw new AwsError(
      "TooManyEntriesInBatchRequestException",
      "The batch request contains more entries than permissible.",
    );
  const ids = entries.map(({ Id = "" }) => Id);
  if (ids.some((id) => !ENTRY_ID.test(id)))
    throw new AwsError(
      "InvalidBatchEntryIdException",
      "The Id of a batch entry in a batch request doesn't abide by the specification.",
    );
  if (new Set(ids).size < ids.length)
    throw new AwsError(
      "BatchEntryIdsNotDistinctException",
      "Two or more batch entries in the request have the same Id.",
    );
}

/** All of a batch together may be as large as one message. @throws AwsError BatchRequestTooLong, InvalidParameter */
function requireShort(messages: readonly Message[], { bytesMax }: Topic): void {
  const bytes = messages.reduce((sum, message) => sum + message.bytes, 0);
  if (bytes > Math.max(bytesMax, MESSAGE_BYTES_DEFAULT))
    throw new AwsError(
      "BatchRequestTooLongException",
      "The length of all the messages put together is more than the limit.",
    );
  if (messages.some((message) => message.bytes > bytesMax)) throw invalid("Message too long");
}

function traceOf({ headers }: RequestContext): string | undefined {
  const header = headers["x-amzn-trace-id"];
  return typeof header === "string" ? header : undefined;
}
