/** What a schedule hands its target: its Input, in which some words stand for facts of the invocation. */
import type { Definition } from "./definition.ts";

/** Facts of one invocation. */
export interface Invocation {
  readonly scheduleArn: string;
  readonly account: string;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly scheduledAt: number;
  readonly executionId: string;
}

/** Whoever makes the attempts puts in their number. */
export const ATTEMPT_NUMBER = "<aws.scheduler.attempt-number>";

/** @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html */
export function inputOf({ target }: Definition, invocation: Invocation): string {
  const { Input } = target;
  if (Input === undefined) return notification(invocation);
  return Input.replaceAll("<aws.scheduler.schedule-arn>", invocation.scheduleArn)
    .replaceAll("<aws.scheduler.scheduled-time>", timeText(invocation.scheduledAt))
    .replaceAll("<aws.scheduler.execution-id>", invocation.executionId);
}

/** `2026-06-01T09:00:00Z` */
export function timeText(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** What a target gets from a schedule without Input. */
function notification({ executionId, account, region, scheduledAt, scheduleArn }: Invocation): string {
  return JSON.stringify({
    version: "0",
    id: executionId,
    "detail-type": "Scheduled Event",
    source: "aws.scheduler",
    account,
    time: timeText(scheduledAt),
    region,
    resources: [scheduleArn],
    detail: "{}",
  });
}
