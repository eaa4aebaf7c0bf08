/** AWS's limits of EventBridge Scheduler. @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html */

/** Schedules of an account and region. */
export const SCHEDULES_MAX = 1_000_000;
/** Groups of an account and region, the default one among them. */
export const GROUPS_MAX = 500;
/** Bytes of a target's Input. */
export const INPUT_BYTES_MAX = 256 * 1024;
export const TAGS_MAX = 50;
/** Items of a list's page, where the caller names no number. */
export const PAGE_DEFAULT = 100;
/** How far back a StartDate may lie, in milliseconds. */
export const START_AGE_MS_MAX = 5 * 60_000;
/** An at() that is past by less is still met: schedules are exact to the minute. In milliseconds. */
export const AT_AGE_MS_MAX = 60_000;
/** How long a request is known by its ClientToken, in milliseconds. */
export const TOKEN_MS = 8 * 3_600_000;
/** Entries of one PutEvents. */
export const EVENTS_MAX = 10;
export const RETRY_ATTEMPTS_DEFAULT = 185;
export const EVENT_AGE_SECONDS_DEFAULT = 86_400;
