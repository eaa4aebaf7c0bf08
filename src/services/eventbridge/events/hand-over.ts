/** Hands an event to one target of a rule, by the courier. */
import type { Transaction } from "../../../store/database.ts";
import type { EventBridge } from "../deps.ts";
import { isJson } from "../input/template.ts";
import { logEventOf } from "../input/log-event.ts";
import { EVENT_AGE_SECONDS_DEFAULT, RETRY_ATTEMPTS_DEFAULT } from "../limits.ts";
import { readBusArn } from "../names.ts";
import type { Parcel, Failure } from "../../../aws/parcel.ts";
import type { LoadedRule, LoadedTarget } from "../rules/loaded-rule.ts";
import type { BusEvent } from "./event.ts";
import { targetRef } from "./target-ref.ts";

const SERVICE = "events.amazonaws.com";

export async function handOver(
  { courier, ids }: Pick<EventBridge, "courier" | "ids">,
  tx: Transaction,
  rule: LoadedRule,
  { target, input }: LoadedTarget,
  event: BusEvent,
): Promise<void> {
  const { arn: ruleArn, name: ruleName, bus } = rule;
  const content = contentOf({ target, input }, event, input({ ...event, ruleArn, ruleName }));
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds } = target.RetryPolicy ?? {};
  const deadLetterArn = target.DeadLetterConfig?.Arn;
  const body = content.body ?? event.text;
  const ref = targetRef(rule, target, event);
  const parcel: Parcel = {
    id: ids.uuid(),
    target: content.timestamp === undefined ? ref : withTime(ref, content.timestamp),
    sender: { service: SERVICE, sourceArn: ruleArn, account: bus.account, region: bus.region },
    body: Buffer.from(body),
    ingestedAt: event.receivedAt,
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
    metrics: rule.metrics,
  };
  if (content.failure) await courier.refuse(tx, parcel, content.failure);
  else await courier.hand(tx, parcel);
}

interface Content {
  readonly body?: string;
  /** A log event's, in epoch milliseconds. */
  readonly timestamp?: number;
  /** Why the target gets nothing. */
  readonly failure?: Failure;
}

/** @param made By the target's input. */
function contentOf({ target }: LoadedTarget, event: BusEvent, made: string | undefined): Content {
  // As on AWS, which bounds loops of buses this way.
  if (event.isForwarded && readBusArn(target.Arn))
    return {
      failure: {
        code: "hop",
        message:
          `Event ingestion rejected for event ${String(event.event["id"])} because an event can be sent to an event bus target only once. ` +
          "This event was previously delivered to an event bus target.",
      },
    };
  if (made === undefined) return { failure: { code: "not-json", message: "Invalid input for target." } };
  const service = target.Arn.split(":")[2];
  // Lines of texts are no event of a function's.
  if (service === "lambda" && target.InputTransformer && !isJson(made))
    return { failure: { code: "invalid", message: "Could not parse request body into json." } };
  if (service !== "logs") return { body: made };
  const logged = logEventOf(target, event, made);
  if (logged) return { body: logged.message, timestamp: logged.timestamp };
  return {
    failure: {
      code: "invalid",
      message: 'Invalid input for target: a log group takes {"timestamp": <time>, "message": <text>}.',
    },
  };
}

function withTime(ref: Parcel["target"], timestamp: number): Parcel["target"] {
  return ref.logs ? { ...ref, logs: { ...ref.logs, timestamp } } : ref;
}

function text(StringValue: string) {
  return { DataType: "String" as const, StringValue };
}
