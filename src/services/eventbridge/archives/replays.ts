/** Puts archived events on their bus again, some in each transaction, which also says how far the replay is. */
import { parseJson } from "../../../aws/event-pattern/index.ts";
import type { Transaction } from "../../../store/database.ts";
import type { DueWork } from "../../../store/due-runner.ts";
import type { EventBridge } from "../deps.ts";
import { putEvent } from "../events/put.ts";
import { readArchived } from "../store/archives.ts";
import type { ArchivedEvent } from "../store/archives.ts";
import { activeReplays, getReplay, updateReplay } from "../store/replays.ts";
import type { ReplayRow } from "../store/replays.ts";

export const REPLAY_TOPIC = "events-replays";
/** Replays that go on by turns. */
const TURNS = 10;
/** Events that one transaction puts. */
const BATCH = 50;

/** What the runner does: it goes on with every replay until none is left. */
export function replays(eventBridge: EventBridge): DueWork {
  const { database, clock } = eventBridge;
  return {
    topic: REPLAY_TOPIC,
    nextDue: async () => ((await activeReplays(database, 1)).length > 0 ? clock.now() : undefined),
    async runDue(now) {
      for (const replay of await activeReplays(database, TURNS))
        await database.tx((tx) => step(eventBridge, tx, replay, now));
    },
  };
}

async function step(eventBridge: EventBridge, tx: Transaction, seen: ReplayRow, now: number): Promise<void> {
  const replay = await getReplay(tx, seen, seen.name);
  if (!replay || replay.ended_at > 0) return;
  if (replay.state === "CANCELLING")
    return updateReplay(tx, { ...replay, state: "CANCELLED", ended_at: now });
  const bus = await eventBridge.buses.find({ ...replay, name: replay.bus }, tx);
  if (!bus) {
    const state_reason = `Event bus ${replay.bus} does not exist.`;
    return updateReplay(tx, { ...replay, state: "FAILED", state_reason, ended_at: now });
  }
  const time = { from: replay.start_at, to: replay.end_at };
  const position = { at: replay.position_at, id: replay.position_id };
  const events = await readArchived(tx, replay.archive_id, time, position, BATCH);
  const ruleArns = JSON.parse(replay.rule_arns) as string[];
  for (const archived of events)
    await putEvent(eventBridge, tx, bus, {
      ...replayed(archived, replay.name),
      receivedAt: now,
      replay: { ruleArns },
    });
  const last = events.at(-1);
  await updateReplay(tx, {
    ...replay,
    ...(last && { position_at: last.received_at, position_id: last.entry_id }),
    ...(events.length < BATCH ? { state: "COMPLETED", ended_at: now } : { state: "RUNNING" }),
  });
}

/** The event with the replay's name, where AWS has it. */
function replayed({ event: text }: ArchivedEvent, name: string) {
  const { resources, detail, ...rest } = parseJson(text) as Record<string, unknown>;
  const event = { ...rest, "replay-name": name, resources, detail };
  return { event, text: JSON.stringify(event) };
}
