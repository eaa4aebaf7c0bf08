/** What EventBridge's requests need of the caller's policies, and what buses' own policies grant. */
import { authorizationFrom } from "../../aws/service.ts";
import type {
  ConditionValues,
  RequestContext,
  Requirement,
  ServiceAuthorization,
} from "../../aws/service.ts";
import { tagConditions, tagKeyConditions } from "../../aws/tag-conditions.ts";
import type { Client, EventBridge } from "./deps.ts";
import { archiveArn, busArn, busOf, readBusArn, readRuleArn, replayArn, ruleArn } from "./names.ts";
import { getRule } from "./store/rules.ts";
import { getBus } from "./store/buses.ts";
import { readTags } from "./tags.ts";

interface OfBus {
  readonly EventBusName?: string | undefined;
}

function onBus(
  name: string | undefined,
  context: RequestContext,
  conditions?: ConditionValues,
): Requirement[] {
  const resource = busArn(busOf(name, context));
  return [{ action: `events:${context.operation}`, resource, ...(conditions && { conditions }) }];
}

const onNamedBus = ({ Name }: { readonly Name?: string | undefined }, context: RequestContext) =>
  onBus(Name, context);

function onRule(
  { EventBusName }: OfBus,
  rule: string | undefined,
  context: RequestContext,
  conditions?: ConditionValues,
): Requirement[] {
  const resource = ruleArn(busOf(EventBusName, context), rule ?? "");
  return [{ action: `events:${context.operation}`, resource, ...(conditions && { conditions }) }];
}

const onNamedRule = (input: OfBus & { readonly Name?: string | undefined }, context: RequestContext) =>
  onRule(input, input.Name, context);

const anywhere = (_input: object, { operation }: RequestContext): Requirement[] => [
  { action: `events:${operation}`, resource: "*" },
];

function onArchive(
  { ArchiveName: name = "" }: { readonly ArchiveName?: string | undefined },
  { operation, account, region }: RequestContext,
): Requirement[] {
  return [{ action: `events:${operation}`, resource: archiveArn({ account, region, name }) }];
}

function onReplay(
  { ReplayName: name = "" }: { readonly ReplayName?: string | undefined },
  { operation, account, region }: RequestContext,
): Requirement[] {
  return [{ action: `events:${operation}`, resource: replayArn({ account, region, name }) }];
}

const onConnection = (input: Named, context: RequestContext) => onNamed("connection", input, context);
const onDestination = (input: Named, context: RequestContext) => onNamed("api-destination", input, context);

interface Named {
  readonly Name?: string | undefined;
}

/** Policies name them without the id that follows the name. */
function onNamed(
  kind: string,
  { Name = "" }: Named,
  { operation, account, region }: RequestContext,
): Requirement[] {
  return [{ action: `events:${operation}`, resource: `arn:aws:events:${region}:${account}:${kind}/${Name}` }];
}

function passRole(role: string | undefined): Requirement[] {
  if (!role) return [];
  const conditions = { "iam:passedtoservice": "events.amazonaws.com" };
  return [{ action: "iam:PassRole", resource: role, conditions }];
}

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html */
const byOperation = authorizationFrom<Client>({
  CancelReplay: onReplay,
  CreateApiDestination: onDestination,
  CreateArchive: onArchive,
  CreateConnection: onConnection,
  CreateEventBus: ({ Name, Tags }, context) => {
    const [own] = onBus(Name, context, tagConditions(Tags));
    if (!own) return [];
    return [own, ...(Tags?.length ? [{ ...own, action: "events:TagResource" }] : [])];
  },
  DeauthorizeConnection: onConnection,
  DeleteApiDestination: onDestination,
  DeleteArchive: onArchive,
  DeleteConnection: onConnection,
  DeleteEventBus: onNamedBus,
  DeleteRule: onNamedRule,
  DescribeApiDestination: onDestination,
  DescribeArchive: onArchive,
  DescribeConnection: onConnection,
  DescribeEventBus: onNamedBus,
  DescribeReplay: onReplay,
  DescribeRule: onNamedRule,
  DisableRule: onNamedRule,
  EnableRule: onNamedRule,
  ListApiDestinations: anywhere,
  ListArchives: anywhere,
  ListConnections: anywhere,
  ListEventBuses: anywhere,
  ListReplays: anywhere,
  ListRuleNamesByTarget: anywhere,
  ListRules: anywhere,
  ListTagsForResource: ({ ResourceARN }, context) => onArn(ResourceARN, context),
  ListTargetsByRule: (input, context) => onRule(input, input.Rule, context),
  PutEvents: ({ Entries = [] }, context) => Entries.map((entry) => putRequirement(entry, context)),
  PutPermission: (input, context) => onBus(input.EventBusName, context),
  PutRule: (input, context) => {
    const [own] = onRule(input, input.Name, context, {
      ...tagConditions(input.Tags),
      "events:creatoraccount": context.account,
    });
    if (!own) return [];
    const tagging = input.Tags?.length ? [{ ...own, action: "events:TagResource" }] : [];
    return [own, ...tagging, ...passRole(input.RoleArn)];
  },
  PutTargets: (input, context) => {
    const targets = input.Targets ?? [];
    const conditions = { "events:targetarn": targets.map(({ Arn = "" }) => Arn) };
    const roles = new Set(targets.map(({ RoleArn }) => RoleArn));
    return [...onRule(input, input.Rule, context, conditions), ...[...roles].flatMap(passRole)];
  },
  RemovePermission: (input, context) => onBus(input.EventBusName, context),
  RemoveTargets: (input, context) => onRule(input, input.Rule, context),
  StartReplay: onReplay,
  TagResource: ({ ResourceARN, Tags }, context) => onArn(ResourceARN, context, tagConditions(Tags)),
  TestEventPattern: anywhere,
  UntagResource: ({ ResourceARN, TagKeys }, context) =>
    onArn(ResourceARN, context, tagKeyConditions(TagKeys)),
  UpdateApiDestination: onDestination,
  UpdateArchive: onArchive,
  UpdateConnection: onConnection,
  UpdateEventBus: onNamedBus,
});

function onArn(
  arn: string | undefined,
  { operation }: RequestContext,
  conditions: ConditionValues = {},
): Requirement[] {
  return [{ action: `events:${operation}`, resource: arn ?? "*", conditions }];
}

type Entry = {
  readonly EventBusName?: string | undefined;
  readonly Source?: string | undefined;
  readonly DetailType?: string | undefined;
};

function putRequirement({ EventBusName, Source, DetailType }: Entry, context: RequestContext): Requirement {
  const bus = busOf(EventBusName, context);
  return {
    action: "events:PutEvents",
    resource: busArn(bus),
    conditions: { "events:source": Source ?? "", "events:detail-type": DetailType ?? "" },
  };
}

/** What a bus's policy denies is denied to root too. */
export function authorization({
  database,
  policies,
}: Pick<EventBridge, "database" | "policies">): ServiceAuthorization {
  return {
    operations: byOperation.operations,
    bindsRoot: true,
    async requirements(operation, input, context) {
      const plain = await byOperation.requirements(operation, input, context);
      return Promise.all(plain.map((one) => withFacts(database, one, context.account)));
    },
    async resourceGrant({ action, resource, conditions = {} }, context) {
      const bus = readBusArn(resource) ?? readRuleArn(resource)?.bus;
      const policy = bus && (await getBus(database, bus))?.policy;
      if (!policy) return "none";
      const question = { action, resources: [resource], conditions };
      return policies.ask(policy, question, context.principal);
    },
  };
}

/** With the resource's tags; and with its owner where that is another account, whose bus must let the caller in by its policy. */
async function withFacts(
  database: EventBridge["database"],
  requirement: Requirement,
  account: string,
): Promise<Requirement> {
  const [bus, rule] = [readBusArn(requirement.resource), readRuleArn(requirement.resource)];
  const owner = (bus ?? rule?.bus)?.account ?? account;
  const owned = { ...requirement, ...(owner !== account && { owner }) };
  const row = bus ? await getBus(database, bus) : rule && (await getRule(database, rule));
  if (!row || row.tags === "{}") return owned;
  const keys = Object.entries(readTags(row.tags)).map(([key, value]) => [
    `aws:resourcetag/${key.toLowerCase()}`,
    value,
  ]);
  return { ...owned, conditions: { ...Object.fromEntries(keys), ...requirement.conditions } };
}
