/** Removes what has expired: tickets, sign-ins that can be refreshed no more, messages, codes and old attempts. */
import { every } from "../../kit/clock.ts";
import type { UserPools } from "./deps.ts";
import { ATTEMPT_WINDOW_MS, HOUSEKEEPING_MS } from "./limits.ts";
import { deleteExpired } from "./store/sessions.ts";

/** Begins; the answer ends it once what runs is done. */
export function startHousekeeping({ clock, database, log }: UserPools): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const cancel = every(clock, HOUSEKEEPING_MS, () => {
    const now = clock.now();
    running = database
      .tx((tx) => deleteExpired(tx, now, now - ATTEMPT_WINDOW_MS))
      .catch((error: unknown) => log.error("Housekeeping of user pools failed", { error }));
  });
  return async () => {
    cancel();
    await running;
  };
}
