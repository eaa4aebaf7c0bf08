/** TagResource, UntagResource and ListTagsForResource. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Ecr } from "../deps.ts";
import { RESOURCE_TAGS_MAX } from "../limits.ts";
import { repositoryFor } from "../lookup.ts";
import { readRepositoryArn } from "../names.ts";
import { setTags } from "../store.ts";
import type { RepositoryRow } from "../store.ts";
import { requireStill } from "../uploads.ts";

type Tags = Readonly<Record<string, string>>;
type Tag = { readonly Key: string | undefined; readonly Value: string | undefined };

const KEY_CHARS_MAX = 128;
const VALUE_CHARS_MAX = 256;

export async function tagResource(
  ecr: Ecr,
  input: Input<Client, "TagResource">,
  context: RequestContext,
): Promise<object> {
  return edit(ecr, input.resourceArn, context, (tags) => tagsFrom(tags, input.tags));
}

export async function untagResource(
  ecr: Ecr,
  input: Input<Client, "UntagResource">,
  context: RequestContext,
): Promise<object> {
  const gone = input.tagKeys ?? [];
  return edit(ecr, input.resourceArn, context, (tags) =>
    Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.includes(key))),
  );
}

export async function listTagsForResource(
  ecr: Ecr,
  input: Input<Client, "ListTagsForResource">,
  context: RequestContext,
): Promise<Output<Client, "ListTagsForResource">> {
  const repository = await repositoryOf(ecr, input.resourceArn, context);
  const tags = Object.entries(JSON.parse(repository.tags) as Tags);
  return { tags: tags.map(([Key, Value]) => ({ Key, Value })) };
}

/** The tags with more. @throws AwsError for tags that AWS keeps for itself, are too long, or are too many. */
export function tagsFrom(tags: Tags, more: readonly Tag[] | undefined = []): Tags {
  for (const { Key = "", Value = "" } of more)
    if (Key === "" || Key.length > KEY_CHARS_MAX || Value.length > VALUE_CHARS_MAX || /^aws:/i.test(Key))
      throw new AwsError(
        "InvalidTagParameterException",
        `Invalid parameter at 'tags' failed to satisfy constraint: 'a key has 1 to ${KEY_CHARS_MAX} characters and does not begin with aws:, a value has at most ${VALUE_CHARS_MAX}'`,
      );
  const all = { ...tags, ...Object.fromEntries(more.map(({ Key = "", Value = "" }) => [Key, Value])) };
  if (Object.keys(all).length > RESOURCE_TAGS_MAX)
    throw new AwsError("TooManyTagsException", `A repository has at most ${RESOURCE_TAGS_MAX} tags`);
  return all;
}

async function edit(
  ecr: Ecr,
  arn: string | undefined,
  context: RequestContext,
  changed: (tags: Tags) => Tags,
): Promise<object> {
  const repository = await repositoryOf(ecr, arn, context);
  await ecr.database.tx(async (tx) => {
    const { tags } = await requireStill(tx, repository);
    await setTags(tx, repository.repository_id, changed(JSON.parse(tags) as Tags));
  });
  return {};
}

function repositoryOf(ecr: Ecr, arn: string | undefined, context: RequestContext): Promise<RepositoryRow> {
  const { account, region, name } = readRepositoryArn(arn ?? "");
  if (region !== context.region)
    throw new AwsError(
      "InvalidParameterException",
      `Invalid parameter: the ARN '${arn}' is of another region than the request, ${context.region}`,
    );
  return repositoryFor(ecr, { registryId: account, repositoryName: name }, context);
}
