/** What SQS's requests need of the caller's policies, and what queues' own policies grant. */
import { authorizationFrom } from "../../aws/service.ts";
import type {
  ConditionValues,
  RequestContext,
  Requirement,
  ServiceAuthorization,
} from "../../aws/service.ts";
import { tagConditions, tagKeyConditions } from "../../aws/tag-conditions.ts";
import type { Client, Sqs } from "./deps.ts";
import { noQueueForYou } from "./errors.ts";
import { queueArn, readQueueArn, readQueueUrl } from "./names.ts";
import { readTaskHandle } from "./operations/move-tasks.ts";
import { isGranted, requireGrant, whatPolicySays } from "./policy.ts";

interface Named {
  readonly QueueUrl?: string | undefined;
}

const on =
  (action: string) =>
  ({ QueueUrl = "" }: Named, { region }: RequestContext): Requirement[] => {
    const id = readQueueUrl(QueueUrl, region);
    // A queue that cannot be is answered by the operation.
    return id ? [{ action: `sqs:${action}`, resource: queueArn(id) }] : [];
  };

function onArn(arn: string | undefined, ...actions: readonly string[]): Requirement[] {
  const id = readQueueArn(arn ?? "");
  return id ? actions.map((action) => ({ action: `sqs:${action}`, resource: queueArn(id) })) : [];
}

function onName(name: string | undefined, action: string, { account, region }: RequestContext): Requirement {
  return { action: `sqs:${action}`, resource: queueArn({ account, region, name: name ?? "" }) };
}

const withConditions = (requirements: readonly Requirement[], conditions: ConditionValues) =>
  requirements.map((one) => ({ ...one, conditions }));

/**
 * A batch is held against the action of its single form.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
 */
const byOperation = authorizationFrom<Client>({
  AddPermission: on("AddPermission"),
  CancelMessageMoveTask: ({ TaskHandle }) =>
    onArn(readTaskHandle(TaskHandle)?.sourceArn, "CancelMessageMoveTask"),
  ChangeMessageVisibility: on("ChangeMessageVisibility"),
  ChangeMessageVisibilityBatch: on("ChangeMessageVisibility"),
  CreateQueue: ({ QueueName, tags }, context) => {
    const conditions = tagConditions(tags);
    const creation = { ...onName(QueueName, "CreateQueue", context), conditions };
    const isTagged = Object.keys(tags ?? {}).length > 0;
    return isTagged ? [creation, { ...onName(QueueName, "TagQueue", context), conditions }] : [creation];
  },
  DeleteMessage: on("DeleteMessage"),
  DeleteMessageBatch: on("DeleteMessage"),
  DeleteQueue: on("DeleteQueue"),
  GetQueueAttributes: on("GetQueueAttributes"),
  GetQueueUrl: ({ QueueName, QueueOwnerAWSAccountId }, context) => {
    const account = QueueOwnerAWSAccountId ?? context.account;
    return [onName(QueueName, "GetQueueUrl", { ...context, region: context.region, account })];
  },
  ListDeadLetterSourceQueues: on("ListDeadLetterSourceQueues"),
  ListMessageMoveTasks: ({ SourceArn }) => onArn(SourceArn, "ListMessageMoveTasks"),
  ListQueueTags: on("ListQueueTags"),
  ListQueues: (_input, { account, region }) => [
    { action: "sqs:ListQueues", resource: queueArn({ account, region, name: "*" }) },
  ],
  PurgeQueue: on("PurgeQueue"),
  ReceiveMessage: on("ReceiveMessage"),
  RemovePermission: on("RemovePermission"),
  SendMessage: on("SendMessage"),
  SendMessageBatch: on("SendMessage"),
  SetQueueAttributes: on("SetQueueAttributes"),
  StartMessageMoveTask: ({ SourceArn, DestinationArn }) => [
    ...onArn(SourceArn, "StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
    ...onArn(DestinationArn, "SendMessage"),
  ],
  TagQueue: (input, context) => withConditions(on("TagQueue")(input, context), tagConditions(input.Tags)),
  UntagQueue: (input, context) =>
    withConditions(on("UntagQueue")(input, context), tagKeyConditions(input.TagKeys)),
});

/** What a queue's policy denies is denied to root too. */
export function authorization({ queues, policies }: Pick<Sqs, "queues" | "policies">): ServiceAuthorization {
  /** Of root in its own account nothing is asked, but by a queue's policy. */
  const isOwnAndOpen = (resource: string, { account }: RequestContext) => {
    const id = readQueueArn(resource);
    const queue = id?.account === account ? queues.known(id) : undefined;
    return queue !== undefined && queue.policy === undefined;
  };
  const queueOf = async (resource: string) => queues.findByArn(resource);
  return {
    operations: byOperation.operations,
    bindsRoot: true,
    // A queue's policy may let everyone in.
    admitsAnonymous: true,
    async requirements(operation, input, context) {
      const plain = await byOperation.requirements(operation, input, context);
      if (context.principal.type === "root" && plain.every((one) => isOwnAndOpen(one.resource, context)))
        return [];
      return Promise.all(
        plain.map(async (one) => {
          const queue = await queueOf(one.resource);
          if (!queue) return one;
          if (operation !== "GetQueueUrl") await requireGrant({ policies }, queue, one.action, context);
          else if (!(await isGranted({ policies }, queue, one.action, context))) throw noQueueForYou();
          return withResourceTags(one, queue.row.tags);
        }),
      );
    },
    async resourceGrant({ action, resource, conditions }, context) {
      const queue = await queueOf(resource);
      const said = queue && (await whatPolicySays({ policies }, queue, action, context, conditions));
      return said === undefined || said === "account" ? "none" : said;
    },
  };
}

function withResourceTags(requirement: Requirement, tags: string): Requirement {
  if (tags === "{}") return requirement;
  const keys = Object.entries(JSON.parse(tags) as Record<string, string>).map(([key, value]) => [
    `aws:resourcetag/${key.toLowerCase()}`,
    value,
  ]);
  return { ...requirement, conditions: { ...Object.fromEntries(keys), ...requirement.conditions } };
}
