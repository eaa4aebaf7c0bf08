/** Removes what has expired, what deleted queues held, and what a purge takes; a little at a time, so that other writers get their turn. */
import { BackgroundWork } from "../../kit/background-work.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Database } from "../../store/database.ts";
import type { Log } from "../../telemetry/log.ts";
import { settleGroup } from "./messages/groups.ts";
import { queueOf } from "./queues/settings.ts";
import type { Queue } from "./queues/settings.ts";
import { asidesOf } from "./store/asides.ts";
import { deleteOldChunks } from "./store/chunks.ts";
import { dropFifo, dropOld, groupsAfter } from "./store/groups.ts";
import { deleteSentBefore, lastSeq } from "./store/messages.ts";
import { allQueues, dropGarbage, garbageQueues } from "./store/queues.ts";

/** Receivers pass over what has expired, and counts leave it out: it only takes room until it is swept. */
const SWEEP_MS = 600_000;
const ROWS_PER_TRANSACTION = 500;
const CHUNKS_PER_TRANSACTION = 100;
const GROUPS_PER_TRANSACTION = 100;

const TRANSACTION = { isolation: "read committed" } as const;

interface Deps {
  readonly clock: Clock;
  readonly database: Database;
  readonly log: Log;
}

export class Housekeeping {
  readonly #deps: Deps;
  readonly #sweeps: BackgroundWork;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#sweeps = new BackgroundWork({
      work: () => this.#sweep(),
      failed: (error) =>
        deps.log.error("What queues hold no more could not be removed; the next sweep tries again", {
          error,
        }),
    }).every(deps.clock, SWEEP_MS);
  }

  /** Sweeps in the background. */
  soon(): void {
    this.#sweeps.soon();
  }

  stop(): Promise<void> {
    return this.#sweeps.stop();
  }

  /** Removes all messages that are there now. */
  async purge(queue: Queue): Promise<void> {
    const now = this.#deps.clock.now();
    // Chunks first: one that is opened meanwhile is then found among the rows.
    await this.#removeChunks(queue.id, now);
    await this.#removeSentBefore(queue.id, Number.MAX_SAFE_INTEGER, now);
    // Last, since what is set aside meanwhile is then found here.
    await this.#removeAside(queue, now);
    if (queue.isFifo) await this.#settleGroups(queue.id);
  }

  async #sweep(): Promise<void> {
    const { database, clock } = this.#deps;
    for (const id of await garbageQueues(database)) await this.#removeGarbage(id);
    for (const row of await allQueues(database)) {
      const queue = queueOf(row);
      const sentBefore = clock.now() - queue.retentionMs;
      await this.#removeChunks(queue.id, sentBefore);
      const isAny = await this.#removeSentBefore(queue.id, await lastSeq(database, queue.id), sentBefore);
      if (isAny && queue.isFifo) await this.#settleGroups(queue.id);
      await this.#removeAside(queue, sentBefore);
    }
    await database.tx((tx) => dropOld(tx, clock.now()), TRANSACTION);
  }

  async #removeGarbage(id: number): Promise<void> {
    const { database } = this.#deps;
    await this.#removeChunks(id, Number.MAX_SAFE_INTEGER);
    await this.#removeSentBefore(id, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    if (this.#sweeps.signal.aborted) return;
    await database.tx(async (tx) => {
      await dropFifo(tx, id);
      await dropGarbage(tx, id);
    });
  }

  async #removeChunks(id: number, sentBefore: number): Promise<void> {
    let isMore = true;
    while (isMore && !this.#sweeps.signal.aborted)
      isMore = await this.#deps.database.tx(
        (tx) => deleteOldChunks(tx, id, sentBefore, CHUNKS_PER_TRANSACTION),
        TRANSACTION,
      );
  }

  /** @returns whether there were any messages at all */
  async #removeSentBefore(id: number, last: number, sentBefore: number): Promise<boolean> {
    const { database } = this.#deps;
    let after: number | undefined = -1;
    while (after !== undefined && !this.#sweeps.signal.aborted) {
      const from: number = after;
      after = await database.tx(
        (tx) => deleteSentBefore(tx, id, from, last, sentBefore, ROWS_PER_TRANSACTION),
        TRANSACTION,
      );
    }
    return last > 0;
  }

  /** What is set aside of a standard queue's noisy groups. */
  async #removeAside({ id, isFifo }: Queue, sentBefore: number): Promise<void> {
    if (isFifo) return;
    for (const aside of (await asidesOf(this.#deps.database, id)).values())
      await this.#removeSentBefore(aside, Number.MAX_SAFE_INTEGER, sentBefore);
  }

  async #settleGroups(id: number): Promise<void> {
    const { database, clock } = this.#deps;
    for (let after: string | undefined = ""; after !== undefined && !this.#sweeps.signal.aborted;) {
      const from: string = after;
      after = await database.tx(async (tx) => {
        const groups = await groupsAfter(tx, id, from, GROUPS_PER_TRANSACTION);
        for (const group of groups) await settleGroup(tx, id, group, clock.now());
        return groups.at(-1);
      }, TRANSACTION);
    }
  }
}
