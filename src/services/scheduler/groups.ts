/** The default group, which every account has in every region. */
import type { SchedulerDeps } from "./deps.ts";
import { DEFAULT_GROUP } from "./names.ts";
import type { Place } from "./names.ts";
import { getGroup, insertGroup } from "./store/groups.ts";

/** It comes to be when somebody first asks for groups. */
export async function withDefaultGroup({ database, clock }: SchedulerDeps, place: Place): Promise<void> {
  if (await getGroup(database, place, DEFAULT_GROUP)) return;
  const now = clock.now();
  const row = { name: DEFAULT_GROUP, created_at: now, modified_at: now, tags: "{}" };
  await database.tx((tx) => insertGroup(tx, place, row));
}
