/** TagResource, UntagResource and ListTagsForResource: of topics. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Sns } from "../deps.ts";
import { invalidArn, noSuchResource } from "../errors.ts";
import { readTopicArn, topicArn } from "../names.ts";
import { getTopic, setTags } from "../store/topics.ts";
import { readTags, requireFew, tagList } from "../topics/tags.ts";
import type { Tags } from "../topics/tags.ts";

export async function listTagsForResource(
  sns: Sns,
  { ResourceArn }: Input<Client, "ListTagsForResource">,
  { region }: RequestContext,
): Promise<Output<Client, "ListTagsForResource">> {
  const row = await getTopic(sns.database, readName(ResourceArn, region));
  if (!row) throw noSuchResource();
  return { Tags: tagList(JSON.parse(row.tags) as Tags) };
}

export async function tagResource(
  sns: Sns,
  { ResourceArn, Tags: given }: Input<Client, "TagResource">,
  { region }: RequestContext,
): Promise<object> {
  const tags = readTags(given);
  await change(sns, readName(ResourceArn, region), (before) => requireFew({ ...before, ...tags }));
  return {};
}

export async function untagResource(
  sns: Sns,
  { ResourceArn, TagKeys: keys = [] }: Input<Client, "UntagResource">,
  { region }: RequestContext,
): Promise<object> {
  await change(sns, readName(ResourceArn, region), (before) =>
    Object.fromEntries(Object.entries(before).filter(([key]) => !keys.includes(key))),
  );
  return {};
}

function readName(arn: string | undefined, region: string) {
  const id = readTopicArn(arn ?? "");
  if (!id || id.region !== region) throw invalidArn("ResourceArn", arn);
  return id;
}

async function change(sns: Sns, id: ReturnType<typeof readName>, to: (tags: Tags) => Tags): Promise<void> {
  await sns.database.tx(async (tx) => {
    const row = await getTopic(tx, id);
    if (!row) throw noSuchResource();
    await setTags(tx, row.topic_id, JSON.stringify(to(JSON.parse(row.tags) as Tags)));
    sns.topics.forgetAfter(tx, topicArn(id));
  });
}
