/** Invokes targets when their schedules come: each invocation is handed over in the transaction that moves its schedule on. */
import type { Transaction } from "../../../store/database.ts";
import type { DueWork } from "../../../store/due-runner.ts";
import type { SchedulerDeps } from "../deps.ts";
import { groupArn, scheduleArn } from "../names.ts";
import type { Parcel } from "../../../aws/parcel.ts";
import { deleteCompleted, dueSchedules, firstDue, moveOn } from "../store/schedules.ts";
import type { NextRow, ScheduleRow } from "../store/schedules.ts";
import { deliveriesOf } from "../targets/delivery.ts";
import type { Delivery } from "../targets/delivery.ts";
import type { Definition } from "./definition.ts";
import { ATTEMPT_NUMBER, inputOf, timeText } from "./input.ts";
import type { Invocation } from "./input.ts";
import { nextFire } from "./next-fire.ts";

export const TOPIC = "scheduler";
/** Schedules that are looked at together. */
const ROUND = 64;

export function firing(deps: SchedulerDeps): DueWork {
  return {
    topic: TOPIC,
    nextDue: () => firstDue(deps.database),
    async runDue(now) {
      const due = await dueSchedules(deps.database, now, ROUND);
      const ends = await Promise.allSettled(due.map((row) => fire(deps, row, now)));
      const failed = ends.find((end) => end.status === "rejected");
      if (failed) throw failed.reason;
    },
  };
}

/** Of several servers that see it due, the one whose transaction moves it on invokes. */
async function fire(deps: SchedulerDeps, row: ScheduleRow, now: number): Promise<void> {
  const definition = JSON.parse(row.definition) as Definition;
  const { scheduled_at: scheduledAt, fire_at: fireAt } = row;
  if (scheduledAt === null || fireAt === null) return;
  const ageMsMax = (definition.target.RetryPolicy?.MaximumEventAgeInSeconds ?? 0) * 1_000;
  // What was missed for longer than an event may be old is not made up; the first of it is told.
  const next = nextFire(
    definition,
    row.anchor_at,
    Math.max(scheduledAt, now - ageMsMax - 1),
    deps.ids.random(),
  );
  const invocation = {
    scheduleArn: scheduleArn(row, row.group_name, row.name),
    account: row.account,
    region: row.region,
    scheduledAt,
    executionId: deps.ids.hex(16),
  };
  const parcels = deliveriesOf(definition, invocation).map((delivery, index) =>
    parcelOf(row, definition, invocation, delivery, { index, ageMsMax: ageMsMax - (now - fireAt) }),
  );
  await deps.database.tx(async (tx) => {
    if (!(await settle(tx, row, definition, next))) return;
    for (const parcel of parcels) await deps.courier.hand(tx, parcel);
  });
}

/** Moves a schedule on, or away where it is complete; false where it is no longer what was read. */
function settle(tx: Transaction, row: ScheduleRow, { action }: Definition, next: NextRow): Promise<boolean> {
  const isComplete = next.fire_at === null && action === "DELETE";
  return isComplete ? deleteCompleted(tx, row) : moveOn(tx, row, next);
}

function parcelOf(
  row: ScheduleRow,
  definition: Definition,
  invocation: Invocation,
  { target, body }: Delivery,
  { index, ageMsMax }: { readonly index: number; readonly ageMsMax: number },
): Parcel {
  const { RoleArn = "", RetryPolicy, DeadLetterConfig, Arn = "" } = definition.target;
  const { account, region, group_name: group } = row;
  const input = inputOf(definition, invocation);
  return {
    id: `scheduler-${invocation.executionId}-${index}`,
    target: { ...target, roleArn: RoleArn, trustSourceArn: groupArn(row, group) },
    sender: { service: "scheduler.amazonaws.com", sourceArn: invocation.scheduleArn, account, region },
    body: Buffer.from(body),
    attemptText: ATTEMPT_NUMBER,
    retry: { attemptsMax: RetryPolicy?.MaximumRetryAttempts ?? 0, ageMsMax },
    ...(DeadLetterConfig?.Arn !== undefined && {
      deadLetter: {
        queueArn: DeadLetterConfig.Arn,
        roleArn: RoleArn,
        attributes: letterAttributes(invocation, Arn),
        tells: "scheduler",
        ...(input !== body && { body: input }),
      },
    }),
    metrics: {
      namespace: "AWS/Scheduler",
      dimensions: [{}, { ScheduleGroup: group }],
      attempt: "InvocationAttemptCount",
      targetFailed: "TargetErrorCount",
      targetThrottled: "TargetErrorThrottledCount",
      failed: "InvocationDroppedCount",
      deadLettered: "InvocationsSentToDeadLetterCount",
      deadLetterFailed: "InvocationsFailedToBeSentToDeadLetterCount",
    },
  };
}

/** The courier adds how it ended. @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html */
function letterAttributes({ executionId, scheduledAt, scheduleArn: arn }: Invocation, targetArn: string) {
  const values = {
    EXECUTION_ID: executionId,
    IS_PAYLOAD_TRUNCATED: "false",
    SCHEDULED_TIME: timeText(scheduledAt),
    SCHEDULE_ARN: arn,
    TARGET_ARN: targetArn,
  };
  return Object.fromEntries(
    Object.entries(values).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
  );
}
