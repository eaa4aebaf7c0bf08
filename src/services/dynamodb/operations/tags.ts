/** TagResource, UntagResource and ListTagsOfResource. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid, resourceNotFound } from "../errors.ts";
import { removeTag, setTag, tagsOf } from "../store.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { placeOf } from "../tables/registry.ts";
import { checkTagCount, checkTags } from "../tables/tags.ts";
import type { Client } from "./client.ts";

/** Tags listed at once. */
const LISTED_MAX = 10;

export async function tagResource(
  deps: OperationDeps,
  input: Input<Client, "TagResource">,
  context: RequestContext,
): Promise<object> {
  const table = await taggedTable(deps, input.ResourceArn as string, context);
  const tags = checkTags(input.Tags);
  if (tags.length === 0) throw invalid("Atleast one Tag needs to be provided as Input.");
  await deps.database.tx(async (transaction) => {
    for (const tag of tags) await setTag(transaction, table.id, tag);
    checkTagCount((await tagsOf(transaction, table.id)).length);
  });
  return {};
}

export async function untagResource(
  deps: OperationDeps,
  input: Input<Client, "UntagResource">,
  context: RequestContext,
): Promise<object> {
  const table = await taggedTable(deps, input.ResourceArn as string, context);
  const keys = input.TagKeys ?? [];
  if (keys.length === 0) throw invalid("Atleast one Tag Key needs to be provided as Input.");
  await deps.database.tx(async (transaction) => {
    for (const key of keys) await removeTag(transaction, table.id, key);
  });
  return {};
}

export async function listTagsOfResource(
  deps: OperationDeps,
  input: Input<Client, "ListTagsOfResource">,
  context: RequestContext,
): Promise<Output<Client, "ListTagsOfResource">> {
  const table = await taggedTable(deps, input.ResourceArn as string, context);
  const { NextToken: after = "" } = input;
  const tags = (await tagsOf(deps.database, table.id)).filter(({ key }) => key > after);
  const listed = tags.slice(0, LISTED_MAX);
  return {
    Tags: listed.map(({ key, value }) => ({ Key: key, Value: value })),
    NextToken: tags.length > LISTED_MAX ? listed.at(-1)?.key : undefined,
  };
}

async function taggedTable(
  deps: OperationDeps,
  arn: string,
  context: RequestContext,
): Promise<TableDefinition> {
  if (!arn.startsWith("arn:"))
    throw invalid(`Invalid TableArn: Invalid ResourceArn provided as input ${arn}`);
  const table = await deps.tables.find(placeOf(arn, context));
  if (!table || table.isDeleting)
    throw resourceNotFound(`Requested resource not found: ResourcArn: ${arn} not found`);
  return table;
}
