/** Tags: AddTagsToStream, RemoveTagsFromStream and ListTagsForStream; TagResource, UntagResource and ListTagsForResource. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { changeStream } from "../change.ts";
import type { Client, Kinesis } from "../deps.ts";
import { noSuchStream } from "../errors.ts";
import { consumerNamed, placeNamed, streamAt, streamNamed } from "../lookup.ts";
import { readConsumerArn } from "../names.ts";
import { findConsumer, updateConsumer } from "../store-consumers.ts";
import { listTags, readTags, withTags, withoutTags } from "../tags.ts";
import type { Tags } from "../tags.ts";

const TAGS_PER_ANSWER_MAX = 50;

export async function addTagsToStream(
  kinesis: Kinesis,
  input: Input<Client, "AddTagsToStream">,
  context: RequestContext,
): Promise<object> {
  const stream = await streamNamed(kinesis, input, context);
  await changeStream(
    kinesis,
    stream,
    edit((tags) => withTags(tags, input.Tags)),
  );
  return {};
}

export async function removeTagsFromStream(
  kinesis: Kinesis,
  input: Input<Client, "RemoveTagsFromStream">,
  context: RequestContext,
): Promise<object> {
  const stream = await streamNamed(kinesis, input, context);
  await changeStream(
    kinesis,
    stream,
    edit((tags) => withoutTags(tags, input.TagKeys)),
  );
  return {};
}

export async function listTagsForStream(
  kinesis: Kinesis,
  input: Input<Client, "ListTagsForStream">,
  context: RequestContext,
): Promise<Output<Client, "ListTagsForStream">> {
  const stream = await streamNamed(kinesis, input, context);
  const { ExclusiveStartTagKey: after = "", Limit = TAGS_PER_ANSWER_MAX } = input;
  const tags = listTags(readTags(stream.tags)).filter(({ Key }) => Key > after);
  return { Tags: tags.slice(0, Limit), HasMoreTags: tags.length > Limit };
}

export async function tagResource(
  kinesis: Kinesis,
  input: Input<Client, "TagResource">,
  context: RequestContext,
): Promise<object> {
  await editResource(kinesis, input, context, (tags) => withTags(tags, input.Tags));
  return {};
}

export async function untagResource(
  kinesis: Kinesis,
  input: Input<Client, "UntagResource">,
  context: RequestContext,
): Promise<object> {
  await editResource(kinesis, input, context, (tags) => withoutTags(tags, input.TagKeys));
  return {};
}

export async function listTagsForResource(
  kinesis: Kinesis,
  input: Input<Client, "ListTagsForResource">,
  context: RequestContext,
): Promise<Output<Client, "ListTagsForResource">> {
  const { tags } =
    (await consumerByArn(kinesis, input, context)) ?? (await streamByArn(kinesis, input, context));
  return { Tags: listTags(readTags(tags)) };
}

interface OnResource {
  readonly ResourceARN?: string | undefined;
  readonly StreamId?: string | undefined;
}

async function editResource(
  kinesis: Kinesis,
  input: OnResource,
  context: RequestContext,
  change: (tags: Tags) => Tags,
): Promise<void> {
  const consumer = await consumerByArn(kinesis, input, context);
  if (!consumer) {
    await changeStream(kinesis, await streamByArn(kinesis, input, context), edit(change));
    return;
  }
  await kinesis.database.tx(async (tx) => {
    const row = await findConsumer(tx, consumer.stream_id, consumer.name);
    if (row) await updateConsumer(tx, { ...row, tags: JSON.stringify(change(readTags(row.tags))) });
  });
}

/** Undefined for an ARN that is not a consumer's. @throws AwsError where there is no such consumer */
async function consumerByArn(
  kinesis: Kinesis,
  { ResourceARN, StreamId }: OnResource,
  context: RequestContext,
) {
  if (ResourceARN?.includes(":channel/") === true) throw notImplemented("channels of Kinesis");
  if (ResourceARN === undefined || !readConsumerArn(ResourceARN)) return undefined;
  return (await consumerNamed(kinesis, { ConsumerARN: ResourceARN, StreamId }, context)).consumer;
}

async function streamByArn(kinesis: Kinesis, { ResourceARN, StreamId }: OnResource, context: RequestContext) {
  const place = placeNamed({ StreamARN: ResourceARN, StreamId }, context);
  const stream = await streamAt(kinesis, place, context);
  if (stream.status === "DELETING") throw noSuchStream(place);
  return stream;
}

function edit(change: (tags: Tags) => Tags) {
  return ({ tags }: { readonly tags: string }) => ({ tags: JSON.stringify(change(readTags(tags))) });
}
