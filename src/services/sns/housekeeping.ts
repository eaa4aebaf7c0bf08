/** Removes what has had its time: what FIFO topics need not know any more, and subscriptions that nobody has confirmed. */
import { every } from "../../kit/clock.ts";
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

/** Answers what ends it. */
export function startHousekeeping({ clock, database, log }: Deps): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const sweep = async () => {
    const now = clock.now();
    await database.tx(async (tx) => {
      await dropKnown(tx, now);
      await dropPending(tx, now);
      await dropEnded(tx, now);
      await dropUsedTokens(tx, now);
    });
  };
  const soon = () => {
    running = running
      .then(sweep)
      .catch((error: unknown) =>
        log.error("What topics need no more could not be removed; the next sweep tries again", { error }),
      );
  };
  soon();
  const cancel = every(clock, SWEEP_MS, soon);
  return async () => {
    cancel();
    await running;
  };
}
