/** Removes what has had its time: what FIFO topics need not know any more, and subscriptions that nobody has confirmed. */
import { BackgroundWork } from "../../kit/background-work.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Database } from "../../store/database.ts";
import type { Log } from "../../telemetry/log.ts";
import { dropKnown } from "./store/deduplication.ts";
import { dropEnded } from "./store/ended-subscriptions.ts";
import { dropPending } from "./store/subscriptions.ts";
import { dropUsedTokens } from "./store/used-tokens.ts";

const SWEEP_MS = 600_000;

interface Deps {
  readonly clock: Clock;
  readonly database: Database;
  readonly log: Log;
}

/** Removes now, and from now on every ten minutes. */
export function startHousekeeping({ clock, database, log }: Deps): BackgroundWork {
  const sweeps = new BackgroundWork({
    async work() {
      const now = clock.now();
      await database.tx(async (tx) => {
        await dropKnown(tx, now);
        await dropPending(tx, now);
        await dropEnded(tx, now);
        await dropUsedTokens(tx, now);
      });
    },
    failed: (error) =>
      log.error("What topics need no more could not be removed; the next sweep tries again", { error }),
  }).every(clock, SWEEP_MS);
  sweeps.soon();
  return sweeps;
}
