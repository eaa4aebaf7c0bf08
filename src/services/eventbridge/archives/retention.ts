/** Removes what archives no longer keep, a little at a time: other writers get their turn. */
import type { DueWork } from "../../../store/due-runner.ts";
import type { EventBridge } from "../deps.ts";
import { REPLAY_KEPT_MS } from "../limits.ts";
import {
  dropGarbage,
  expiringArchives,
  garbageArchives,
  readArchived,
  removeArchived,
} from "../store/archives.ts";
import { forgetReplays } from "../store/replays.ts";

export const RETENTION_TOPIC = "events-retention";
/** Between two looks, in milliseconds; readers hide nothing that has expired meanwhile, as AWS lets it stay for up to a day. */
const LOOK_MS = 3_600_000;
/** Events that one transaction removes. */
const ROWS_MAX = 200;
const DAY_MS = 86_400_000;
const START = { at: 0, id: "" };

type Deps = Pick<EventBridge, "database" | "clock">;

/** Looks when the server starts, when an archive is deleted, and every hour. */
export function retention(deps: Deps): DueWork {
  const { database, clock } = deps;
  let next = 0;
  return {
    topic: RETENTION_TOPIC,
    nextDue: async () => ((await garbageArchives(database)).length > 0 ? clock.now() : next),
    async runDue(now) {
      next = now + LOOK_MS;
      for (const id of await garbageArchives(database)) {
        while (await removeSome(deps, id, now));
        await database.tx((tx) => dropGarbage(tx, id));
      }
      for (const { archive_id, retention_days } of await expiringArchives(database))
        while (await removeSome(deps, archive_id, now - retention_days * DAY_MS));
      await database.tx((tx) => forgetReplays(tx, now - REPLAY_KEPT_MS));
    },
  };
}

/** @returns whether there may be more */
async function removeSome({ database }: Deps, archiveId: string, before: number): Promise<boolean> {
  const events = await readArchived(database, archiveId, { from: 0, to: before }, START, ROWS_MAX);
  if (events.length > 0) await database.tx((tx) => removeArchived(tx, archiveId, events));
  return events.length === ROWS_MAX;
}
