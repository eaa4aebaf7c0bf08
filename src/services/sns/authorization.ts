/** What SNS's requests need of the caller's policies, and what topics' own policies grant. */
import { authorizationFrom, needsNothing } from "../../aws/service.ts";
import type {
  ConditionValues,
  RequestContext,
  Requirement,
  ServiceAuthorization,
} from "../../aws/service.ts";
import { tagConditions, tagKeyConditions } from "../../aws/tag-conditions.ts";
import type { Client, Sns } from "./deps.ts";
import { readSubscriptionArn, readTopicArn, topicArn } from "./names.ts";
import type { Topic } from "./topics/topic.ts";
import { REFUSED, requireGrant, whatPolicySays } from "./policy.ts";

function need(action: string, resource: string, conditions?: ConditionValues): Requirement {
  return { action: `SNS:${action}`, resource, code: REFUSED, ...(conditions && { conditions }) };
}

/** An ARN that cannot be is answered by the operation. */
function onTopic(arn: string | undefined, action: string, conditions?: ConditionValues): Requirement[] {
  return arn !== undefined && readTopicArn(arn) ? [need(action, arn, conditions)] : [];
}

const onNamed =
  (action: string) =>
  ({ TopicArn }: { readonly TopicArn?: string | undefined }) =>
    onTopic(TopicArn, action);

/** A subscription is its topic's. */
const onSubscription =
  (action: string) =>
  ({ SubscriptionArn = "" }: { readonly SubscriptionArn?: string | undefined }): Requirement[] => {
    const name = readSubscriptionArn(SubscriptionArn);
    return name ? [need(action, topicArn(name.topic))] : [];
  };

const anywhere =
  (action: string) =>
  (_input: object, { account, region }: RequestContext): Requirement[] => [
    need(action, `arn:aws:sns:${region}:${account}:*`),
  ];

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html */
const byOperation = authorizationFrom<Client>({
  AddPermission: onNamed("AddPermission"),
  // Who has the token has been asked.
  ConfirmSubscription: needsNothing,
  CreateTopic: ({ Name = "", Tags }, { account, region }) => {
    const resource = topicArn({ account, region, name: Name });
    const creation = need("CreateTopic", resource, tagConditions(Tags));
    return Tags?.length ? [creation, need("TagResource", resource, tagConditions(Tags))] : [creation];
  },
  DeleteTopic: onNamed("DeleteTopic"),
  GetSubscriptionAttributes: onSubscription("GetSubscriptionAttributes"),
  GetTopicAttributes: onNamed("GetTopicAttributes"),
  ListSubscriptions: anywhere("ListSubscriptions"),
  ListSubscriptionsByTopic: onNamed("ListSubscriptionsByTopic"),
  ListTagsForResource: ({ ResourceArn }) => onTopic(ResourceArn, "ListTagsForResource"),
  ListTopics: anywhere("ListTopics"),
  Publish: ({ TopicArn, TargetArn }) => onTopic(TopicArn ?? TargetArn, "Publish"),
  PublishBatch: onNamed("Publish"),
  RemovePermission: onNamed("RemovePermission"),
  SetSubscriptionAttributes: onSubscription("SetSubscriptionAttributes"),
  SetTopicAttributes: onNamed("SetTopicAttributes"),
  Subscribe: ({ TopicArn, Protocol, Endpoint }) =>
    onTopic(TopicArn, "Subscribe", {
      ...(Protocol !== undefined && { "sns:Protocol": Protocol }),
      ...(Endpoint !== undefined && { "sns:Endpoint": Endpoint }),
    }),
  TagResource: ({ ResourceArn, Tags }) => onTopic(ResourceArn, "TagResource", tagConditions(Tags)),
  Unsubscribe: onSubscription("Unsubscribe"),
  UntagResource: ({ ResourceArn, TagKeys }) =>
    onTopic(ResourceArn, "UntagResource", tagKeyConditions(TagKeys)),
});

/** Operations on subscriptions are for who subscribed, too: the operation sees to that by itself. */
const OF_SUBSCRIPTIONS: ReadonlySet<string> = new Set([
  "GetSubscriptionAttributes",
  "SetSubscriptionAttributes",
  "Unsubscribe",
]);

/** What a topic's policy denies is denied to root too. */
export function authorization({ topics, policies }: Pick<Sns, "topics" | "policies">): ServiceAuthorization {
  return {
    operations: byOperation.operations,
    bindsRoot: true,
    // A topic's policy may let everyone in.
    admitsAnonymous: true,
    async requirements(operation, input, context) {
      const plain = await byOperation.requirements(operation, input, context);
      const needed = plain.map(async (one): Promise<Requirement[]> => {
        const topic = await topics.findByArn(one.resource);
        if (!topic) return [one];
        if (isOwnAndOpen(topic, context)) return [];
        if (!OF_SUBSCRIPTIONS.has(operation))
          await requireGrant({ policies }, topic, one.action, context, one.conditions);
        return [withResourceTags(one, topic.row.tags)];
      });
      return (await Promise.all(needed)).flat();
    },
    async resourceGrant({ action, resource, conditions }, context) {
      const topic = await topics.findByArn(resource);
      const said = topic && (await whatPolicySays({ policies }, topic, action, context, conditions));
      return said === undefined || said === "account" ? "none" : said;
    },
  };
}

/** Of root in its own account nothing is asked, but by a policy that a topic was given. */
function isOwnAndOpen({ account, attributes }: Topic, { principal }: RequestContext): boolean {
  return principal.type === "root" && principal.account === account && attributes["Policy"] === undefined;
}

function withResourceTags(requirement: Requirement, tags: string): Requirement {
  if (tags === "{}") return requirement;
  const keys = Object.entries(JSON.parse(tags) as Record<string, string>).map(([key, value]) => [
    `aws:resourcetag/${key.toLowerCase()}`,
    value,
  ]);
  return { ...requirement, conditions: { ...Object.fromEntries(keys), ...requirement.conditions } };
}
