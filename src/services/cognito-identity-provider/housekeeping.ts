/** Removes what has expired: tickets, sign-ins that can be refreshed no more, messages, codes and old attempts. */
import { BackgroundWork } from "../../kit/background-work.ts";
import type { UserPools } from "./deps.ts";
import { ATTEMPT_WINDOW_MS, HOUSEKEEPING_MS } from "./limits.ts";
import { deleteExpired } from "./store/sessions.ts";

export function startHousekeeping({ clock, database, log }: UserPools): BackgroundWork {
  return new BackgroundWork({
    async work() {
      const now = clock.now();
      await database.tx((tx) => deleteExpired(tx, now, now - ATTEMPT_WINDOW_MS));
    },
    failed: (error) => log.error("Housekeeping of user pools failed", { error }),
  }).every(clock, HOUSEKEEPING_MS);
}
