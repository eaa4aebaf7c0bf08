/** Tags of log groups: TagResource, UntagResource, ListTagsForResource, and their older forms by group name. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { groupNameOf, invalidParameter, requireGroup } from "../lookup.ts";
import type { LogsState } from "../state.ts";
import { setTags } from "../store.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");
type Tags = Record<string, string>;

const TAGS_MAX = 50;

export async function tagResource(
  state: LogsState,
  input: Input<Client, "TagResource">,
  context: RequestContext,
): Promise<object> {
  return edit(state, context, nameIn(input.resourceArn, context), (tags) => ({ ...tags, ...input.tags }));
}

export async function untagResource(
  state: LogsState,
  input: Input<Client, "UntagResource">,
  context: RequestContext,
): Promise<object> {
  return edit(state, context, nameIn(input.resourceArn, context), (tags) => without(tags, input.tagKeys));
}

export async function listTagsForResource(
  state: LogsState,
  input: Input<Client, "ListTagsForResource">,
  context: RequestContext,
): Promise<Output<Client, "ListTagsForResource">> {
  return list(state, context, nameIn(input.resourceArn, context));
}

export async function tagLogGroup(
  state: LogsState,
  input: Input<Client, "TagLogGroup">,
  context: RequestContext,
): Promise<object> {
  return edit(state, context, input.logGroupName, (tags) => ({ ...tags, ...input.tags }));
}

export async function untagLogGroup(
  state: LogsState,
  input: Input<Client, "UntagLogGroup">,
  context: RequestContext,
): Promise<object> {
  return edit(state, context, input.logGroupName, (tags) => without(tags, input.tags));
}

export async function listTagsLogGroup(
  state: LogsState,
  input: Input<Client, "ListTagsLogGroup">,
  context: RequestContext,
): Promise<Output<Client, "ListTagsLogGroup">> {
  return list(state, context, input.logGroupName);
}

/** @throws AwsError where there are too many, or some are AWS's own. */
export function checkTags(tags: Tags): Tags {
  if (Object.keys(tags).some((key) => /^aws:/i.test(key)))
    throw invalidParameter("Tag keys starting with aws: are reserved for system use.");
  if (Object.keys(tags).length > TAGS_MAX)
    throw new AwsError("TooManyTagsException", `A resource can have at most ${TAGS_MAX} tags.`);
  return tags;
}

function nameIn(arn: string | undefined, context: RequestContext): string {
  const name = arn?.startsWith("arn:") ? groupNameOf(arn, context) : undefined;
  if (name === undefined)
    throw new AwsError("ResourceNotFoundException", "The specified resource does not exist.");
  return name;
}

async function edit(
  state: LogsState,
  context: RequestContext,
  logGroupName: string | undefined,
  changed: (tags: Tags) => Tags,
): Promise<object> {
  await state.database.tx(async (tx) => {
    const group = await requireGroup(tx, context, { logGroupName });
    await setTags(tx, group.group_id, checkTags(changed(JSON.parse(group.tags) as Tags)));
  });
  return {};
}

async function list(state: LogsState, context: RequestContext, logGroupName: string | undefined) {
  const group = await requireGroup(state.database, context, { logGroupName });
  return { tags: JSON.parse(group.tags) as Tags };
}

function without(tags: Tags, keys: readonly string[] = []): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key)));
}
