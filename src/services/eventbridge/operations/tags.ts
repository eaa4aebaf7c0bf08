/** TagResource, UntagResource and ListTagsForResource: of buses and rules. */
import type { Input, Output } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Client, EventBridge } from "../deps.ts";
import { invalidParameter, noSuchRule } from "../errors.ts";
import { readBusArn, readRuleArn } from "../names.ts";
import { requireBus } from "../rules/buses.ts";
import { updateBus } from "../store/buses.ts";
import { getRule, updateRule } from "../store/rules.ts";
import { listTags, readTags, withTags, withoutTags } from "../tags.ts";
import type { Tags } from "../tags.ts";

export async function tagResource(
  eventBridge: EventBridge,
  { ResourceARN, Tags }: Input<Client, "TagResource">,
): Promise<object> {
  await change(eventBridge, ResourceARN ?? "", (tags) => withTags(tags, Tags));
  return {};
}

export async function untagResource(
  eventBridge: EventBridge,
  { ResourceARN, TagKeys }: Input<Client, "UntagResource">,
): Promise<object> {
  await change(eventBridge, ResourceARN ?? "", (tags) => withoutTags(tags, TagKeys));
  return {};
}

export async function listTagsForResource(
  eventBridge: EventBridge,
  { ResourceARN = "" }: Input<Client, "ListTagsForResource">,
): Promise<Output<Client, "ListTagsForResource">> {
  const { tags } = await eventBridge.database.tx((tx) => taggedAt(eventBridge, tx, ResourceARN));
  return { Tags: listTags(tags) };
}

async function change(eventBridge: EventBridge, arn: string, to: (tags: Tags) => Tags): Promise<void> {
  await eventBridge.database.tx(async (tx) => {
    const { tags, set } = await taggedAt(eventBridge, tx, arn);
    await set(JSON.stringify(to(tags)));
  });
}

interface Tagged {
  readonly tags: Tags;
  readonly set: (tags: string) => Promise<void>;
}

/** @throws AwsError ResourceNotFoundException, ValidationException */
async function taggedAt({ clock }: EventBridge, tx: Transaction, arn: string): Promise<Tagged> {
  const busId = readBusArn(arn);
  if (busId) {
    const bus = await requireBus(tx, busId, clock.now());
    return { tags: readTags(bus.tags), set: (tags) => updateBus(tx, { ...bus, tags }) };
  }
  const ruleId = readRuleArn(arn);
  if (!ruleId) throw invalidParameter("ResourceARN", "Provided Arn is not in correct format.");
  const rule = await getRule(tx, ruleId);
  if (!rule) throw noSuchRule(ruleId.name, ruleId.bus.name);
  return { tags: readTags(rule.tags), set: (tags) => updateRule(tx, { ...rule, tags }) };
}
