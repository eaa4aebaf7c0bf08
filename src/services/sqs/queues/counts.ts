/** The approximate numbers of a queue's messages. */
import type { Clock } from "../../../kit/clock.ts";
import type { Database } from "../../../store/database.ts";
import { countAside } from "../store/asides.ts";
import { countMessages } from "../store/messages.ts";
import type { Counts } from "../store/messages.ts";
import type { Queue } from "./settings.ts";

/** A count that took long is told again for so many times as long: counting takes no more than a twentieth of the time. */
const KEPT_FOR = 20;
/** Counts that are kept; then all are forgotten. */
const KEPT_MAX = 1_000;
/** A count that took less, in milliseconds of the machine, is not kept. */
const SHORT_MS = 5;

/** Exact while a queue is small; of a large one, for which AWS too tells them approximately, a little old. */
export class MessageCounts {
  readonly #deps: { readonly database: Database; readonly clock: Clock };
  readonly #kept = new Map<number, { readonly counts: Counts; readonly until: number }>();

  constructor(deps: { readonly database: Database; readonly clock: Clock }) {
    this.#deps = deps;
  }

  async of(queue: Queue): Promise<Counts> {
    const kept = this.#kept.get(queue.id);
    if (kept && kept.until > performance.now()) return kept.counts;
    const { database, clock } = this.#deps;
    const now = clock.now();
    const since = performance.now();
    const counts = await count(database, queue, now);
    const tookMs = performance.now() - since;
    this.#kept.delete(queue.id);
    if (tookMs >= SHORT_MS && counts.visible + counts.inFlight + counts.delayed > LARGE) {
      if (this.#kept.size >= KEPT_MAX) this.#kept.clear();
      this.#kept.set(queue.id, { counts, until: performance.now() + tookMs * KEPT_FOR });
    }
    return counts;
  }
}

async function count(database: Database, { id, isFifo, retentionMs }: Queue, now: number): Promise<Counts> {
  const counts = await countMessages(database, id, now, now - retentionMs);
  if (isFifo) return counts;
  return { ...counts, visible: counts.visible + (await countAside(database, id, now - retentionMs)) };
}

/** Messages from which on a count may be kept. */
const LARGE = 10_000;
