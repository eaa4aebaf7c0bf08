/** CreateTopic. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Sns } from "../deps.ts";
import { invalid, refuseGiven } from "../errors.ts";
import { isFifoName, isFifoTopicName, isTopicName, topicArn } from "../names.ts";
import { getTopic, insertTopic } from "../store/topics.ts";
import { checkTopicAttribute } from "../topics/attributes.ts";
import { requirePrincipals } from "../topics/policy-document.ts";
import { readTags } from "../topics/tags.ts";
import type { Tags } from "../topics/tags.ts";
import type { Attributes } from "../topics/topic.ts";

/** Bits of a topic's number, in hexadecimal digits. */
const ID_DIGITS = 13;

/** A topic that is there already is answered as if it had just been made, where it is as it is asked for. */
export async function createTopic(
  sns: Sns,
  input: Input<Client, "CreateTopic">,
  context: RequestContext,
): Promise<Output<Client, "CreateTopic">> {
  if (input.DataProtectionPolicy !== undefined) throw notImplemented("DataProtectionPolicy of CreateTopic");
  const given = (input.Attributes ?? {}) as Attributes;
  const name = checkName(input.Name, given["FifoTopic"]);
  const attributes = checkAttributes(sns, given, isFifoName(name));
  await requirePrincipals(attributes["Policy"], context.account, sns.policies);
  const tags = readTags(input.Tags);
  const id = { account: context.account, region: context.region, name };
  await sns.database.tx(async (tx) => {
    const existing = await getTopic(tx, id);
    if (existing) return requireSame(existing, attributes, input.Tags && tags);
    const topic_id = Number.parseInt(sns.ids.hex(ID_DIGITS), 16);
    const created_at = sns.clock.now();
    const kept = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));
    const row = { ...id, topic_id, created_at, attributes: JSON.stringify(kept), tags: JSON.stringify(tags) };
    await insertTopic(tx, row);
    sns.topics.forgetAfter(tx, topicArn(id));
  });
  return { TopicArn: topicArn(id) };
}

/** @throws AwsError InvalidParameter */
function checkName(name: string | undefined, fifoTopic: string | undefined): string {
  if (fifoTopic === "true") {
    if (name !== undefined && isFifoTopicName(name)) return name;
    throw invalid(
      "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.",
    );
  }
  if (fifoTopic !== undefined && fifoTopic !== "false")
    throw invalid("Attributes Reason: FifoTopic must be true or false");
  if (name !== undefined && isTopicName(name)) return name;
  throw invalid("Topic Name");
}

function checkAttributes({ policies }: Sns, given: Attributes, isFifo: boolean): Attributes {
  return Object.fromEntries(
    Object.entries(given)
      // Its name tells.
      .filter(([name]) => name !== "FifoTopic")
      .map(([name, value]) => {
        return [name, checkTopicAttribute(name, value, { isFifo, policies, refuse: refuseGiven })];
      }),
  );
}

/** @throws AwsError InvalidParameter, where something is asked for that the topic is not */
function requireSame(
  existing: { readonly attributes: string; readonly tags: string },
  asked: Attributes,
  tags: Tags | undefined,
): void {
  const own = JSON.parse(existing.attributes) as Attributes;
  const differs = Object.entries(asked).some(
    ([name, value]) => (own[name] ?? "") !== value && !isDefault(name, value, own),
  );
  if (differs) throw invalid("Attributes Reason: Topic already exists with different attributes");
  const before = JSON.parse(existing.tags) as Tags;
  const isOther = ([key, value]: [string, string]) => before[key] !== value;
  if (tags && (Object.keys(tags).length !== Object.keys(before).length || Object.entries(tags).some(isOther)))
    throw invalid("Tags Reason: Topic already exists with different tags");
}

const DEFAULTS: Attributes = {
  ContentBasedDeduplication: "false",
  DisplayName: "",
  FifoThroughputScope: "Topic",
  SignatureVersion: "1",
  TracingConfig: "PassThrough",
};

function isDefault(name: string, value: string, own: Attributes): boolean {
  return own[name] === undefined && DEFAULTS[name] === value;
}
