/** TagResource, UntagResource, ListTags: of functions, code signing configurations and event source mappings. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import { findConfig, readConfigArn } from "../code-signing-configs.ts";
import type { Client, Lambda } from "../deps.ts";
import { invalidParameter, notFound } from "../errors.ts";
import { denied } from "../lookup.ts";
import { functionNotFound, readFunctionArn, readFunctionName, readMappingArn } from "../names.ts";
import { saveConfig } from "../store-code-signing.ts";
import { readTags, saveTags } from "../store.ts";
import { withTags } from "../tags.ts";

export async function tagResource(
  lambda: Lambda,
  input: Input<Client, "TagResource">,
  context: RequestContext,
): Promise<object> {
  const resource = taggedResource(lambda, input.Resource ?? "", context);
  const added = input.Tags ?? {};
  if (Object.keys(added).length === 0)
    throw invalidParameter("An error occurred and the request cannot be processed.");
  await lambda.database.tx(async (tx) => resource.save(tx, withTags(await resource.read(tx), added)));
  return {};
}

export async function untagResource(
  lambda: Lambda,
  input: Input<Client, "UntagResource">,
  context: RequestContext,
): Promise<object> {
  const resource = taggedResource(lambda, input.Resource ?? "", context);
  await lambda.database.tx(async (tx) => {
    const tags = await resource.read(tx);
    for (const key of input.TagKeys ?? []) delete tags[key];
    await resource.save(tx, tags);
  });
  return {};
}

export async function listTags(
  lambda: Lambda,
  input: Input<Client, "ListTags">,
  context: RequestContext,
): Promise<Output<Client, "ListTags">> {
  return { Tags: await taggedResource(lambda, input.Resource ?? "", context).read(lambda.database) };
}

/** Something that carries tags. */
interface Tagged {
  /** @throws ResourceNotFoundException. */
  read(reader: Reader): Promise<Record<string, string>>;
  save(tx: Transaction, tags: Record<string, string>): Promise<void>;
}

/** @throws naming what else the ARN is. */
function taggedResource(lambda: Lambda, arn: string, context: RequestContext): Tagged {
  const other = /:(capacity-provider|network-connector):/.exec(arn);
  if (other) throw notImplemented(`tags of a Lambda ${other[1]}`);
  if (readConfigArn(arn)) return taggedConfig(arn, context);
  if (arn.includes(":event-source-mapping:")) return taggedMapping(lambda, arn, context);
  return taggedFunction(arn, context);
}

function taggedMapping({ eventSourceMappings }: Lambda, arn: string, context: RequestContext): Tagged {
  const mapping = readMappingArn(arn);
  const isHere = mapping?.account === context.account && mapping.region === context.region;
  if (!isHere) throw notFound("The resource you requested does not exist.");
  return {
    read: (reader) => eventSourceMappings.readTags(reader, context, mapping.uuid),
    save: (tx, tags) => eventSourceMappings.saveTags(tx, mapping.uuid, tags),
  };
}

function taggedConfig(arn: string, context: RequestContext): Tagged {
  return {
    read: async (reader) => ({ ...(await findConfig(reader, arn, context)).tags }),
    save: async (tx, tags) => saveConfig(tx, { ...(await findConfig(tx, arn, context)), tags }),
  };
}

/** Only whole functions carry tags. */
function taggedFunction(arn: string, context: RequestContext): Tagged {
  const reference = readFunctionArn(arn);
  if (!reference) throw invalidParameter(`${arn} is not the ARN of a Lambda function.`);
  if (reference.qualifier !== undefined)
    throw invalidParameter(
      "Tags on function aliases and versions are not supported. Please specify a function ARN.",
    );
  const { qualifier: _, ...id } = readFunctionName(arn, undefined, context);
  if (id.account !== context.account) throw denied(id, context);
  return {
    async read(reader) {
      const tags = await readTags(reader, id);
      if (!tags) throw functionNotFound(id);
      return tags;
    },
    save: (tx, tags) => saveTags(tx, id, tags),
  };
}
