/** TagResource, UntagResource and ListTagsForResource: of schedule groups, the only resources with tags. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, SchedulerDeps } from "../deps.ts";
import { noSuchGroup } from "../errors.ts";
import { withDefaultGroup } from "../groups.ts";
import { groupOfArn } from "../names.ts";
import { getGroup, setTags } from "../store/groups.ts";
import { tagsText } from "../tags.ts";
import type { Tags } from "../tags.ts";

export async function listTagsForResource(
  deps: SchedulerDeps,
  { ResourceArn = "" }: Input<Client, "ListTagsForResource">,
  context: RequestContext,
): Promise<Output<Client, "ListTagsForResource">> {
  await withDefaultGroup(deps, context);
  const name = nameOf(ResourceArn, context);
  const row = await getGroup(deps.database, context, name);
  if (!row) throw noSuchGroup(name);
  return { Tags: Object.entries(JSON.parse(row.tags) as Tags).map(([Key, Value]) => ({ Key, Value })) };
}

export async function tagResource(
  deps: SchedulerDeps,
  { ResourceArn = "", Tags: added = [] }: Input<Client, "TagResource">,
  context: RequestContext,
): Promise<object> {
  await change(deps, ResourceArn, context, (tags) => tagsText(tags, added));
  return {};
}

export async function untagResource(
  deps: SchedulerDeps,
  { ResourceArn = "", TagKeys = [] }: Input<Client, "UntagResource">,
  context: RequestContext,
): Promise<object> {
  await change(deps, ResourceArn, context, (tags) =>
    JSON.stringify(Object.fromEntries(Object.entries(tags).filter(([key]) => !TagKeys.includes(key)))),
  );
  return {};
}

async function change(
  deps: SchedulerDeps,
  arn: string,
  context: RequestContext,
  to: (tags: Tags) => string,
): Promise<void> {
  await withDefaultGroup(deps, context);
  const name = nameOf(arn, context);
  await deps.database.tx(async (tx) => {
    const row = await getGroup(tx, context, name);
    if (!row) throw noSuchGroup(name);
    await setTags(tx, context, name, to(JSON.parse(row.tags) as Tags), deps.clock.now());
  });
}

/** @throws AwsError ResourceNotFoundException for a group of another account or region */
function nameOf(arn: string, context: RequestContext): string {
  const name = groupOfArn(arn, context);
  if (name === undefined) throw noSuchGroup(arn.split("/")[1] ?? arn);
  return name;
}
