/** Deletes expired events, a little at a time. Readers hide them from the moment they expire. */
import { expiryOf } from "./lookup.ts";
import type { LogsState } from "./state.ts";
import { listRetainedGroups } from "./store.ts";
import { deleteExpiredChunks } from "./store-chunks.ts";

const SWEEP_MS = 60_000;
const CHUNKS_PER_TRANSACTION = 500;

/** Sweeps every minute until stopped, or when asked. */
export function startRetentionSweeper(state: LogsState): { sweep(): Promise<void>; stop(): Promise<void> } {
  const ending = new AbortController();
  let running: Promise<void> | undefined;
  const sweep = () => {
    running ??= sweepExpired(state, ending.signal).finally(() => (running = undefined));
    return running;
  };
  const timer = setInterval(() => {
    sweep().catch((error: unknown) => state.log.error("expired log events could not be deleted", { error }));
  }, SWEEP_MS);
  timer.unref();
  return {
    sweep,
    async stop() {
      clearInterval(timer);
      ending.abort();
      await running?.catch(() => undefined);
    },
  };
}

/** Deletes what has expired in every group; ends early when the signal aborts. */
async function sweepExpired(state: LogsState, signal: AbortSignal): Promise<void> {
  for (const group of await listRetainedGroups(state.database)) {
    const before = expiryOf(group, state.clock.now());
    let deleted: number;
    do {
      if (signal.aborted) return;
      deleted = await state.database.tx((tx) =>
        deleteExpiredChunks(tx, group.group_id, before, CHUNKS_PER_TRANSACTION),
      );
    } while (deleted === CHUNKS_PER_TRANSACTION);
  }
}
