/** To which moments a table with point-in-time recovery can be restored. */
import type { TableHistory } from "../tables/definition.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** How long a table can be restored to what it was, unless it is said. */
export const RECOVERY_DAYS = 35;

/** The first moment, in epoch milliseconds. */
export function earliestRestorable(
  { enabledAt, days }: NonNullable<TableHistory["recovery"]>,
  now: number,
): number {
  return Math.max(enabledAt, now - days * DAY_MS);
}

/** When what was deleted with the recovery of its table goes for good. @see RECOVERY_DAYS */
export function systemBackupExpiry(now: number): number {
  return now + RECOVERY_DAYS * DAY_MS;
}
