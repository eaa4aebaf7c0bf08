/** What a schedule is told to be: how a request is read, and how it is shown again. */
import { notImplemented } from "../../../aws/errors.ts";
import {
  ScheduleExpressionError,
  isTimeZone,
  parseSchedule,
} from "../../../aws/schedule-expression/index.ts";
import type { Schedule } from "../../../aws/schedule-expression/index.ts";
import type { Input, Output } from "../../../aws/service.ts";
import type { Client } from "../deps.ts";
import { invalid } from "../errors.ts";
import { EVENT_AGE_SECONDS_DEFAULT, RETRY_ATTEMPTS_DEFAULT, START_AGE_MS_MAX } from "../limits.ts";

type Create = Input<Client, "CreateSchedule">;
type Shown = Output<Client, "GetSchedule">;
export type Target = NonNullable<Create["Target"]>;

/** As it is kept, in JSON. */
export interface Definition {
  readonly expression: string;
  readonly timeZone: string;
  readonly description?: string;
  /** Epoch milliseconds. */
  readonly startAt?: number;
  readonly endAt?: number;
  /** Minutes; 0 for none. */
  readonly windowMinutes: number;
  readonly action: "NONE" | "DELETE";
  readonly target: Target;
}

/** @throws AwsError ValidationException; NotImplemented for keys of KMS */
export function readDefinition(
  input: Omit<Create, "Name" | "GroupName" | "ClientToken">,
  now: number,
): Definition {
  if (input.KmsKeyArn !== undefined) throw notImplemented("KmsKeyArn, encryption with keys of KMS");
  const { ScheduleExpression: expression = "", ScheduleExpressionTimezone: timeZone = "UTC" } = input;
  parseExpression(expression);
  if (!isTimeZone(timeZone)) throw invalid(`Invalid Schedule Expression Timezone ${timeZone}.`);
  const [startAt, endAt] = [input.StartDate?.getTime(), input.EndDate?.getTime()];
  if (startAt !== undefined && startAt < now - START_AGE_MS_MAX)
    throw invalid("The StartDate you specify cannot be earlier than 5 minutes ago.");
  if (endAt !== undefined && endAt <= (startAt ?? now))
    throw invalid(
      startAt === undefined
        ? "The EndDate you specify must come after the current time."
        : "The EndDate you specify must come after the StartDate.",
    );
  return {
    expression,
    timeZone,
    ...(input.Description !== undefined && { description: input.Description }),
    ...(startAt !== undefined && { startAt }),
    ...(endAt !== undefined && { endAt }),
    windowMinutes: readWindow(input.FlexibleTimeWindow),
    action: input.ActionAfterCompletion ?? "NONE",
    target: withDefaults(input.Target as Target),
  };
}

/** @throws AwsError ValidationException */
export function parseExpression(expression: string): Schedule {
  try {
    return parseSchedule(expression, { kinds: ["rate", "cron", "at"], anyUnitNumber: true });
  } catch (error) {
    if (!(error instanceof ScheduleExpressionError)) throw error;
    throw invalid(`Invalid Schedule Expression ${expression}.`);
  }
}

function readWindow(window: Create["FlexibleTimeWindow"]): number {
  const { Mode, MaximumWindowInMinutes: minutes } = window ?? {};
  if (Mode === "OFF" && minutes !== undefined)
    throw invalid("MaximumWindowInMinutes can only be given with the Mode FLEXIBLE of FlexibleTimeWindow.");
  if (Mode === "FLEXIBLE" && minutes === undefined)
    throw invalid("The Mode FLEXIBLE of FlexibleTimeWindow needs MaximumWindowInMinutes.");
  return minutes ?? 0;
}

function withDefaults(target: Target): Target {
  return {
    ...target,
    RetryPolicy: {
      MaximumEventAgeInSeconds: target.RetryPolicy?.MaximumEventAgeInSeconds ?? EVENT_AGE_SECONDS_DEFAULT,
      MaximumRetryAttempts: target.RetryPolicy?.MaximumRetryAttempts ?? RETRY_ATTEMPTS_DEFAULT,
    },
  };
}

/** As GetSchedule tells it. */
export function showDefinition(definition: Definition): Shown {
  const { startAt, endAt, description, windowMinutes } = definition;
  return {
    ScheduleExpression: definition.expression,
    ScheduleExpressionTimezone: definition.timeZone,
    ...(description !== undefined && { Description: description }),
    ...(startAt !== undefined && { StartDate: new Date(startAt) }),
    ...(endAt !== undefined && { EndDate: new Date(endAt) }),
    FlexibleTimeWindow:
      windowMinutes === 0 ? { Mode: "OFF" } : { Mode: "FLEXIBLE", MaximumWindowInMinutes: windowMinutes },
    ActionAfterCompletion: definition.action,
    Target: definition.target,
  };
}
