/** When a parcel that could not be taken is tried again. */
import type { RetryPolicy } from "../aws/parcel.ts";

const DELAY_MS_MIN = 1_000;
const DELAY_MS_MAX = 10 * 60_000;

/** How far a parcel has come. */
interface Progress {
  /** Attempts after the first that have been made. */
  readonly retries: number;
  /** Epoch milliseconds of the hand-over. */
  readonly since: number;
  readonly now: number;
  /** In [0, 1) */
  readonly random: number;
}

/** Epoch milliseconds of the next attempt; or what the policy has no more of. */
export function nextAttempt(
  { attemptsMax, ageMsMax, delaysMs }: RetryPolicy,
  { retries, since, now, random }: Progress,
): number | "retries" | "age" {
  if (retries >= attemptsMax) return "retries";
  const at =
    now + (delaysMs ? (delaysMs[Math.min(retries, delaysMs.length - 1)] ?? 0) : backOff(retries, random));
  return at - since > ageMsMax ? "age" : at;
}

/** Between half of the doubling wait and all of it, so that what failed together does not come again together. */
function backOff(retries: number, random: number): number {
  const wait = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** Math.min(retries, 30));
  return Math.round(wait * (0.5 + random / 2));
}
