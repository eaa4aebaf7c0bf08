/** Bucket notification configurations: which are valid together, and which of them an event goes to. */
import type { AwsError } from "../../../aws/errors.ts";
import { invalidArgument } from "../errors.ts";
import { FILTER_VALUE_BYTES_MAX, NOTIFICATION_ID_CHARACTERS_MAX, NOTIFICATIONS_MAX } from "../limits.ts";

/** One configuration, as stored: to a function, a queue or a topic. */
export type NotificationRule = RuleBody &
  ({ readonly functionArn: string } | { readonly queueArn: string } | { readonly topicArn: string });

interface RuleBody {
  readonly id: string;
  readonly events: readonly string[];
  readonly prefix?: string;
  readonly suffix?: string;
  /** The names of the filter rules as they were given, in their order (`prefix`, `Suffix`). */
  readonly ruleNames?: readonly string[];
}

/** What a bucket notifies. */
export interface BucketNotification {
  readonly rules: readonly NotificationRule[];
  /** Whether every change goes to the default event bus of the bucket's account and region. */
  readonly eventBridge: boolean;
}

/** As it is stored, or null for nothing. */
export function readNotification(stored: string | null): BucketNotification {
  if (stored === null) return { rules: [], eventBridge: false };
  const read = JSON.parse(stored) as BucketNotification | readonly NotificationRule[];
  return "rules" in read ? read : { rules: read, eventBridge: false };
}

export function writeNotification({ rules, eventBridge }: BucketNotification): string | null {
  if (eventBridge) return JSON.stringify({ rules, eventBridge });
  return rules.length === 0 ? null : JSON.stringify(rules);
}

/** Every event type S3 takes. Those that nothing here can cause are taken all the same: they just never happen. */
const EVENTS = {
  ObjectCreated: ["*", "Put", "Post", "Copy", "CompleteMultipartUpload"],
  ObjectRemoved: ["*", "Delete", "DeleteMarkerCreated"],
  ObjectTagging: ["*", "Put", "Delete"],
  ObjectRestore: ["*", "Post", "Completed", "Delete"],
  Replication: [
    "*",
    "OperationFailedReplication",
    "OperationNotTracked",
    "OperationMissedThreshold",
    "OperationReplicatedAfterThreshold",
  ],
  LifecycleExpiration: ["*", "Delete", "DeleteMarkerCreated"],
  ObjectAnnotation: ["*", "Put", "Delete"],
} as const;

const SINGLE_EVENTS = [
  "s3:ReducedRedundancyLostObject",
  "s3:LifecycleTransition",
  "s3:IntelligentTiering",
  "s3:ObjectAcl:Put",
  "s3:ObjectRetention:Put",
];

const KNOWN_EVENTS = new Set([
  ...SINGLE_EVENTS,
  ...Object.entries(EVENTS).flatMap(([family, names]) => names.map((name) => `s3:${family}:${name}`)),
]);

interface RuleInput {
  readonly Name?: string | undefined;
  readonly Value?: string | undefined;
}

interface ConfigurationInput {
  readonly Id?: string | undefined;
  readonly Events?: readonly string[] | undefined;
  readonly Filter?:
    | { readonly Key?: { readonly FilterRules?: readonly RuleInput[] | undefined } | undefined }
    | undefined;
}

export interface FunctionInput extends ConfigurationInput {
  readonly LambdaFunctionArn?: string | undefined;
}

export interface QueueInput extends ConfigurationInput {
  readonly QueueArn?: string | undefined;
}

export interface TopicInput extends ConfigurationInput {
  readonly TopicArn?: string | undefined;
}

const QUEUE_ARN = /^arn:aws[a-z-]*:sqs:([a-z0-9-]+):\d{12}:[a-zA-Z0-9_-]{1,80}(\.fifo)?$/;
const TOPIC_ARN = /^arn:aws[a-z-]*:sns:([a-z0-9-]+):\d{12}:[a-zA-Z0-9_-]{1,256}(\.fifo)?$/;
const FUNCTION_ARN = /^arn:aws[a-z-]*:lambda:([a-z0-9-]+):\d{12}:function:[a-zA-Z0-9-_]+(:[a-zA-Z0-9-_$]+)?$/;

/**
 * Reads and checks the configurations of a bucket in a region. `newId` names those without an Id.
 * @throws InvalidArgument with S3's texts.
 */
export function readConfigurations(
  {
    functions = [],
    queues = [],
    topics = [],
  }: {
    functions?: readonly FunctionInput[];
    queues?: readonly QueueInput[];
    topics?: readonly TopicInput[];
  },
  region: string,
  newId: () => string,
): NotificationRule[] {
  const count = functions.length + queues.length + topics.length;
  if (count > NOTIFICATIONS_MAX)
    throw invalidArgument(
      `Cannot have more than ${NOTIFICATIONS_MAX} notification configurations on a bucket`,
      "NotificationConfiguration",
      count,
    );
  const read: NotificationRule[] = [
    ...functions.map((input) => ({
      ...readRule(input, newId),
      functionArn: readArn(input.LambdaFunctionArn, FUNCTION_ARN, "CloudFunction", region),
    })),
    ...queues.map((input) => ({ ...readRule(input, newId), queueArn: readQueue(input.QueueArn, region) })),
    ...topics.map((input) => ({ ...readRule(input, newId), topicArn: readTopic(input.TopicArn, region) })),
  ];
  const ids = new Set<string>();
  for (const { id } of read) {
    if (ids.has(id))
      throw invalidArgument("Same ID used for multiple configurations. IDs must be unique", "Id", id);
    ids.add(id);
  }
  for (const [index, one] of read.entries())
    for (const other of read.slice(index + 1)) {
      const error = overlap(one, other);
      if (error) throw error;
    }
  return read;
}

/** Those that an event about a key goes to. `event` is `ObjectCreated:Put`. */
export function matching(
  configurations: readonly NotificationRule[],
  event: string,
  key: string,
): NotificationRule[] {
  return configurations.filter(
    ({ events, prefix = "", suffix = "" }) =>
      events.some((one) => covers(one, `s3:${event}`)) && key.startsWith(prefix) && key.endsWith(suffix),
  );
}

function readArn(arn = "", pattern: RegExp, argument: string, region: string): string {
  const match = pattern.exec(arn);
  if (!match) throw invalidArgument("The ARN could not be parsed", argument, arn);
  if (match[1] !== region)
    throw invalidArgument(
      "The notification destination service region is not valid for the bucket location constraint",
      argument,
      arn,
    );
  return arn;
}

function readQueue(arn: string | undefined, region: string): string {
  const read = readArn(arn, QUEUE_ARN, "Queue", region);
  if (read.endsWith(".fifo"))
    throw invalidArgument("FIFO queues are not supported as notification destinations", "Queue", read);
  return read;
}

function readTopic(arn: string | undefined, region: string): string {
  const read = readArn(arn, TOPIC_ARN, "Topic", region);
  if (read.endsWith(".fifo"))
    throw invalidArgument("FIFO topics are not supported as notification destinations", "Topic", read);
  return read;
}

function readRule(input: ConfigurationInput, newId: () => string): RuleBody {
  const events = [...new Set(input.Events ?? [])];
  if (events.length === 0)
    throw invalidArgument("A specified event is not supported for notifications.", "Event", "");
  for (const event of events)
    if (!KNOWN_EVENTS.has(event))
      throw invalidArgument("The event is not supported for notifications", "Event", event);
  const id = input.Id || newId();
  if (id.length > NOTIFICATION_ID_CHARACTERS_MAX)
    throw invalidArgument(
      `The ID must be at most ${NOTIFICATION_ID_CHARACTERS_MAX} characters long`,
      "Id",
      id,
    );
  return { id, events, ...readFilter(input.Filter?.Key?.FilterRules ?? []) };
}

function readFilter(rules: readonly RuleInput[]): Pick<RuleBody, "prefix" | "suffix" | "ruleNames"> {
  const filter: { prefix?: string; suffix?: string } = {};
  for (const { Name = "", Value = "" } of rules) {
    const name = Name.toLowerCase();
    if (name !== "prefix" && name !== "suffix")
      throw invalidArgument("filter rule name must be either prefix or suffix", "FilterRule.Name", Name);
    if (filter[name] !== undefined)
      throw invalidArgument(
        `Cannot specify more than one ${name} rule in a filter.`,
        "FilterRule.Name",
        Name,
      );
    if (Buffer.byteLength(Value) > FILTER_VALUE_BYTES_MAX)
      throw invalidArgument(
        `Size of filter rule value cannot exceed ${FILTER_VALUE_BYTES_MAX} bytes in UTF-8 representation`,
        "FilterRule.Value",
        Value,
      );
    filter[name] = Value;
  }
  return rules.length === 0 ? {} : { ...filter, ruleNames: rules.map((rule) => rule.Name ?? "") };
}

/** Two configurations may not both be meant by one event: the same event type, and prefixes and suffixes that both overlap. */
function overlap(one: RuleBody, other: RuleBody): AwsError | undefined {
  const common = one.events.flatMap((left) =>
    other.events.filter((right) => covers(left, right) || covers(right, left)).map((right) => [left, right]),
  );
  if (common.length === 0) return undefined;
  const prefixes = either(one.prefix, other.prefix, (long, short) => long.startsWith(short));
  const suffixes = either(one.suffix, other.suffix, (long, short) => long.endsWith(short));
  if (!prefixes || !suffixes) return undefined;
  const filtered = one.ruleNames ?? other.ruleNames;
  if (filtered === undefined)
    return invalidArgument(
      "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
      "Event",
      (common[0] ?? []).join(", "),
    );
  return invalidArgument(
    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.",
    "FilterRule",
    (common[0] ?? []).join(", "),
  );
}

function either(one = "", other = "", contains: (long: string, short: string) => boolean): boolean {
  return contains(one, other) || contains(other, one);
}

/** Whether a configured event type (`s3:ObjectCreated:*`) means another (`s3:ObjectCreated:Put`). */
function covers(configured: string, event: string): boolean {
  return configured === event || (configured.endsWith("*") && event.startsWith(configured.slice(0, -1)));
}
