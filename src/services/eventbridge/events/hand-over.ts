/** Hands an event to one target of a rule, by the courier. */
import { createHash } from "node:crypto";
import type { Transaction } from "../../../store/database.ts";
import { deliveryMetrics } from "../event-metrics.ts";
import type { EventBridge } from "../deps.ts";
import { scalarAt } from "../input/input.ts";
import { EVENT_AGE_SECONDS_DEFAULT, RETRY_ATTEMPTS_DEFAULT } from "../limits.ts";
import { readBusArn } from "../names.ts";
import type { Parcel } from "../ports.ts";
import type { LoadedRule, LoadedTarget } from "../rules/loaded-rule.ts";
import type { Target } from "../rules/target.ts";
import type { BusEvent } from "./event.ts";

const SERVICE = "events.amazonaws.com";

export async function handOver(
  { courier, ids }: Pick<EventBridge, "courier" | "ids">,
  tx: Transaction,
  rule: LoadedRule,
  { target, input }: LoadedTarget,
  event: BusEvent,
): Promise<void> {
  // As on AWS, which bounds loops of buses this way.
  if (event.isForwarded && readBusArn(target.Arn)) return;
  const { arn: ruleArn, name: ruleName, bus } = rule;
  const body = input({ ...event, ruleArn, ruleName });
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds } = target.RetryPolicy ?? {};
  const deadLetterArn = target.DeadLetterConfig?.Arn;
  await courier.hand(tx, {
    id: ids.uuid(),
    target: targetRef(rule, target, event),
    sender: { service: SERVICE, sourceArn: ruleArn, account: bus.account, region: bus.region },
    body: Buffer.from(body),
    ...(event.traceHeader !== undefined && { traceHeader: event.traceHeader }),
    retry: {
      attemptsMax: MaximumRetryAttempts ?? RETRY_ATTEMPTS_DEFAULT,
      ageMsMax: (MaximumEventAgeInSeconds ?? EVENT_AGE_SECONDS_DEFAULT) * 1_000,
    },
    ...(deadLetterArn !== undefined && {
      deadLetter: {
        queueArn: deadLetterArn,
        attributes: { RULE_ARN: text(ruleArn), TARGET_ARN: text(target.Arn) },
        tells: "eventbridge" as const,
        ...(body !== event.text && { body: event.text }),
      },
    }),
    metrics: deliveryMetrics(bus, ruleName),
  });
}

const ROLE_OF_RULE: ReadonlySet<string> = new Set(["kinesis", "events"]);

/** What each kind of target needs beside the body. */
function targetRef(rule: LoadedRule, target: Target, event: BusEvent): Parcel["target"] {
  const { Arn: arn, SqsParameters, KinesisParameters } = target;
  // A rule's own role is for targets that have no policies of their own.
  const service = arn.split(":")[2] ?? "";
  const roleArn = target.RoleArn ?? (ROLE_OF_RULE.has(service) ? rule.roleArn : "");
  const role = roleArn === "" ? {} : { roleArn };
  switch (service) {
    case "sqs": {
      const messageGroupId = SqsParameters?.MessageGroupId;
      return { arn, ...role, ...(messageGroupId !== undefined && { sqs: { messageGroupId } }) };
    }
    case "kinesis": {
      const path = KinesisParameters?.PartitionKeyPath ?? "$.id";
      const partitionKey = scalarAt(path, event.event) || String(event.event["id"]);
      return { arn, ...role, kinesis: { partitionKey } };
    }
    case "logs":
      return { arn, ...role, logs: { stream: logStream(rule.arn) } };
    case "events": {
      if (!readBusArn(arn)) return { arn, ...role, apiDestination: httpOf(target, event) };
      const { source, "detail-type": detailType } = event.event;
      return { arn, ...role, event: { source: String(source), detailType: String(detailType), whole: true } };
    }
    default:
      return { arn, ...role };
  }
}

/** What the target adds to the request; values that are JSON paths come from the event. */
function httpOf(
  { HttpParameters = {} }: Target,
  { event }: BusEvent,
): NonNullable<Parcel["target"]["apiDestination"]> {
  const { PathParameterValues = [], HeaderParameters = {}, QueryStringParameters = {} } = HttpParameters;
  const resolve = (value: string) => (value.startsWith("$.") ? (scalarAt(value, event) ?? "") : value);
  const resolveAll = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, resolve(value)]));
  return {
    pathValues: PathParameterValues.map(resolve),
    headers: resolveAll(HeaderParameters),
    query: resolveAll(QueryStringParameters),
  };
}

/** One stream of a log group for each rule. */
function logStream(ruleArn: string): string {
  return createHash("sha256").update(ruleArn).digest("hex").slice(0, 32);
}

function text(StringValue: string) {
  return { DataType: "String" as const, StringValue };
}
