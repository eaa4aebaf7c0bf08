/** TagResource, UntagResource, ListTags */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import type { Client, Lambda } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { denied } from "../lookup.ts";
import { functionNotFound, readFunctionArn, readFunctionName } from "../names.ts";
import type { FunctionId } from "../names.ts";
import { readTags, saveTags } from "../store.ts";
import { withTags } from "../tags.ts";

export async function tagResource(
  lambda: Lambda,
  input: Input<Client, "TagResource">,
  context: RequestContext,
): Promise<object> {
  const id = taggedFunction(input.Resource ?? "", context);
  const added = input.Tags ?? {};
  if (Object.keys(added).length === 0)
    throw invalidParameter("An error occurred and the request cannot be processed.");
  await lambda.database.tx(async (tx) => saveTags(tx, id, withTags(await currentTags(tx, id), added)));
  return {};
}

export async function untagResource(
  lambda: Lambda,
  input: Input<Client, "UntagResource">,
  context: RequestContext,
): Promise<object> {
  const id = taggedFunction(input.Resource ?? "", context);
  await lambda.database.tx(async (tx) => {
    const tags = await currentTags(tx, id);
    for (const key of input.TagKeys ?? []) delete tags[key];
    await saveTags(tx, id, tags);
  });
  return {};
}

export async function listTags(
  lambda: Lambda,
  input: Input<Client, "ListTags">,
  context: RequestContext,
): Promise<Output<Client, "ListTags">> {
  return { Tags: await currentTags(lambda.database, taggedFunction(input.Resource ?? "", context)) };
}

async function currentTags(reader: Reader, id: FunctionId): Promise<Record<string, string>> {
  const tags = await readTags(reader, id);
  if (!tags) throw functionNotFound(id);
  return tags;
}

/** Only whole functions carry tags here. @throws naming what else the ARN is. */
function taggedFunction(arn: string, context: RequestContext): FunctionId {
  const other = /:(code-signing-config|event-source-mapping|capacity-provider|network-connector):/.exec(arn);
  if (other) throw notImplemented(`tags of a Lambda ${other[1]}`);
  const reference = readFunctionArn(arn);
  if (!reference) throw invalidParameter(`${arn} is not the ARN of a Lambda function.`);
  if (reference.qualifier !== undefined)
    throw invalidParameter(
      "Tags on function aliases and versions are not supported. Please specify a function ARN.",
    );
  const { qualifier: _, ...id } = readFunctionName(arn, undefined, context);
  if (id.account !== context.account) throw denied(id, context);
  return id;
}
