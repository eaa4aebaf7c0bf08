/** Tags of pools: TagResource, UntagResource, ListTagsForResource. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import type { Client, UserPools } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { TAGS_MAX } from "../limits.ts";
import { readPoolArn } from "../names.ts";
import { requirePool } from "../pools/lookup.ts";
import { updatePool } from "../store/pools.ts";
import type { Pool } from "../store/pools.ts";

type Tags = Readonly<Record<string, string>>;

/** @throws AwsError for more than a pool may have, and for keys that are AWS's */
export function checkTags(tags: Tags): Tags {
  const keys = Object.keys(tags);
  const reserved = keys.find((key) => key.toLowerCase().startsWith("aws:"));
  if (reserved !== undefined)
    throw new AwsError("UserPoolTaggingException", `Tag keys must not begin with aws: ${reserved}`);
  if (keys.length > TAGS_MAX)
    throw new AwsError("UserPoolTaggingException", `A user pool can have at most ${TAGS_MAX} tags.`);
  return tags;
}

export async function tagResource(
  { database }: UserPools,
  { ResourceArn, Tags = {} }: Input<Client, "TagResource">,
  context: RequestContext,
): Promise<object> {
  await database.tx(async (tx) => {
    const pool = await poolOfArn(tx, context, ResourceArn);
    await updatePool(tx, { ...pool, tags: checkTags({ ...pool.tags, ...Tags }) });
  });
  return {};
}

export async function untagResource(
  { database }: UserPools,
  { ResourceArn, TagKeys = [] }: Input<Client, "UntagResource">,
  context: RequestContext,
): Promise<object> {
  await database.tx(async (tx) => {
    const pool = await poolOfArn(tx, context, ResourceArn);
    const kept = Object.entries(pool.tags).filter(([key]) => !TagKeys.includes(key));
    await updatePool(tx, { ...pool, tags: Object.fromEntries(kept) });
  });
  return {};
}

export async function listTagsForResource(
  { database }: UserPools,
  { ResourceArn }: Input<Client, "ListTagsForResource">,
  context: RequestContext,
): Promise<Output<Client, "ListTagsForResource">> {
  return { Tags: { ...(await poolOfArn(database, context, ResourceArn)).tags } };
}

async function poolOfArn(reader: Reader, context: RequestContext, arn = ""): Promise<Pool> {
  const id = readPoolArn(arn);
  if (!id) throw invalidParameter(`Invalid resource ARN: ${arn}`);
  return requirePool(reader, { account: id.account, region: id.region }, id.poolId).then((pool) =>
    requirePool(reader, context, pool.poolId),
  );
}
