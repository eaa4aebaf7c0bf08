/** Checks the attributes that CreateQueue and SetQueueAttributes are given. */
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import { invalidAttributeValue, invalidParameter, unknownAttribute } from "../errors.ts";
import {
  DELAY_SECONDS_MAX,
  MESSAGE_BYTES_MAX,
  MESSAGE_BYTES_MIN_MAX,
  POLICY_STATEMENTS_MAX,
  RECEIVES_BEFORE_DEAD_LETTER_MAX,
  RETENTION_SECONDS_MAX,
  RETENTION_SECONDS_MIN,
  SOURCE_QUEUE_ARNS_MAX,
  VISIBILITY_SECONDS_MAX,
  WAIT_SECONDS_MAX,
} from "../limits.ts";
import { readQueueArn } from "../names.ts";
import type { ResourcePolicies } from "../ports.ts";
import type { Attributes } from "./settings.ts";

const NUMBERS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  VisibilityTimeout: [0, VISIBILITY_SECONDS_MAX],
  DelaySeconds: [0, DELAY_SECONDS_MAX],
  MaximumMessageSize: [MESSAGE_BYTES_MIN_MAX, MESSAGE_BYTES_MAX],
  MessageRetentionPeriod: [RETENTION_SECONDS_MIN, RETENTION_SECONDS_MAX],
  ReceiveMessageWaitTimeSeconds: [0, WAIT_SECONDS_MAX],
};
const FIFO_VALUES: Readonly<Record<string, readonly string[]>> = {
  ContentBasedDeduplication: ["true", "false"],
  DeduplicationScope: ["queue", "messageGroup"],
  FifoThroughputLimit: ["perQueue", "perMessageGroupId"],
};
/** Attributes whose empty value takes them away. */
const CLEARABLE: ReadonlySet<string> = new Set(["Policy", "RedrivePolicy", "RedriveAllowPolicy"]);

interface Checking {
  readonly isFifo: boolean;
  readonly policies: ResourcePolicies;
}

/**
 * Attributes as they are kept: those that have a value, and "" for those to be taken away.
 * @throws AwsError InvalidAttributeName, InvalidAttributeValue, NotImplemented for encryption
 */
export function checkAttributes(given: Attributes, checking: Checking): Attributes {
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const kept = checkOne(name, value, checking);
    if (kept !== undefined) checked[name] = kept;
  }
  return checked;
}

function checkOne(name: string, value: string, { isFifo, policies }: Checking): string | undefined {
  if (CLEARABLE.has(name) && value === "") return "";
  const bounds = Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : undefined;
  if (bounds) return wholeNumber(name, value, bounds);
  if (Object.hasOwn(FIFO_VALUES, name)) {
    if (!isFifo) throw invalidAttributeValue(name, "You can specify this attribute only for a FIFO queue.");
    if (!FIFO_VALUES[name]?.includes(value)) throw invalidAttributeValue(name);
    return value;
  }
  switch (name) {
    case "Policy":
      checkPolicy(value, policies);
      return value;
    case "RedrivePolicy":
      return checkRedrive(value);
    case "RedriveAllowPolicy":
      return checkRedriveAllow(value);
    case "SqsManagedSseEnabled":
      if (value !== "true" && value !== "false") throw invalidAttributeValue(name);
      return value;
    case "KmsMasterKeyId":
    case "KmsDataKeyReusePeriodSeconds":
      refuseKms(name, value);
      return undefined;
    default:
      throw unknownAttribute(name);
  }
}

/** There are no keys of KMS here: "" takes away what was never there. */
function refuseKms(name: string, value: string): void {
  if (value === "") return;
  throw notImplemented(
    `${name}=${value} of a queue: there are no keys of KMS; SqsManagedSseEnabled=true encrypts messages with a key of the server's`,
  );
}

function wholeNumber(name: string, value: string, [min, max]: readonly [number, number]): string {
  if (!/^\d{1,10}$/.test(value) || Number(value) < min || Number(value) > max)
    throw invalidAttributeValue(name);
  return String(Number(value));
}

/** @throws AwsError InvalidAttributeValue */
export function checkPolicy(text: string, policies: ResourcePolicies): void {
  try {
    policies.parse(text);
  } catch (error) {
    throw invalidAttributeValue("Policy", error instanceof Error ? error.message : undefined);
  }
  const { Statement } = JSON.parse(text) as { Statement?: unknown };
  if (Array.isArray(Statement) && Statement.length > POLICY_STATEMENTS_MAX)
    throw new AwsError(
      "OverLimit",
      `${Statement.length} statements were found, maximum allowed is ${POLICY_STATEMENTS_MAX}.`,
    );
}

/** @throws AwsError InvalidAttributeValue for a user or role of the account that does not exist */
export async function requirePrincipals(
  { Policy }: Attributes,
  account: string,
  policies: ResourcePolicies,
): Promise<void> {
  if (Policy === undefined || Policy === "") return;
  const fault = await policies.principalFault(Policy, account);
  if (fault !== undefined) throw invalidAttributeValue("Policy", fault);
}

/** Only its form; whether the queue exists and lets itself be used so is seen to where it is set. */
function checkRedrive(text: string): string {
  const invalid = (reason: string) =>
    invalidParameter(`Value ${text} for parameter RedrivePolicy is invalid. Reason: ${reason}`);
  const policy = objectIn(text);
  if (!policy) throw invalid("Redrive policy is not a valid JSON map.");
  const { deadLetterTargetArn, maxReceiveCount, ...rest } = policy;
  if (deadLetterTargetArn === undefined)
    throw invalid("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
  if (maxReceiveCount === undefined)
    throw invalid("Redrive policy does not contain mandatory attribute: maxReceiveCount.");
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw invalid(`Redrive policy contains unsupported attribute: ${unknown}.`);
  if (typeof deadLetterTargetArn !== "string" || !readQueueArn(deadLetterTargetArn))
    throw invalid("Invalid value for deadLetterTargetArn.");
  const count = Number(maxReceiveCount);
  if (!Number.isInteger(count) || count < 1 || count > RECEIVES_BEFORE_DEAD_LETTER_MAX)
    throw invalid("Invalid value for maxReceiveCount: must be between 1 and 1000.");
  return JSON.stringify({ deadLetterTargetArn, maxReceiveCount: count });
}

function checkRedriveAllow(text: string): string {
  const invalid = (reason: string) =>
    invalidParameter(`Value ${text} for parameter RedriveAllowPolicy is invalid. Reason: ${reason}`);
  const policy = objectIn(text);
  if (!policy)
    throw invalid("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.");
  const { redrivePermission, sourceQueueArns, ...rest } = policy;
  if (Object.keys(rest).length > 0 || !["allowAll", "denyAll", "byQueue"].includes(String(redrivePermission)))
    throw invalid("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.");
  if (redrivePermission !== "byQueue") {
    if (sourceQueueArns !== undefined)
      throw invalid(
        "Amazon SQS can't create the redrive allow policy. Only redrivePermission byQueue takes sourceQueueArns.",
      );
    return JSON.stringify({ redrivePermission });
  }
  const arns: unknown[] = Array.isArray(sourceQueueArns) ? sourceQueueArns : [];
  if (arns.length === 0 || arns.length > SOURCE_QUEUE_ARNS_MAX)
    throw invalid(
      `Amazon SQS can't create the redrive allow policy. You must specify 1 to ${SOURCE_QUEUE_ARNS_MAX} sourceQueueArns.`,
    );
  if (!arns.every((arn) => typeof arn === "string" && readQueueArn(arn)))
    throw invalid("Amazon SQS can't create the redrive allow policy. A sourceQueueArn is not a queue's ARN.");
  return JSON.stringify({ redrivePermission, sourceQueueArns: arns });
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** What a queue has once it is given more: values that are "" are taken away. @throws AwsError for what does not go together */
export function merged(before: Attributes, given: Attributes): Attributes {
  const after = Object.fromEntries(
    Object.entries({ ...before, ...given }).filter(([, value]) => value !== ""),
  );
  if (after["FifoThroughputLimit"] === "perMessageGroupId" && after["DeduplicationScope"] !== "messageGroup")
    throw invalidAttributeValue(
      "FifoThroughputLimit",
      "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup.",
    );
  return after;
}
