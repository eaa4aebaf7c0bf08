/** How many messages of a queue are in flight. They are counted only where those received since the last count could be too many. */
import type { Clock } from "../../../kit/clock.ts";
import type { Database } from "../../../store/database.ts";
import { IN_FLIGHT_MAX } from "../limits.ts";
import type { Queue } from "../queues/settings.ts";
import { countHiddenInChunks } from "../store/claimed-chunks.ts";
import { countHidden, countMessages } from "../store/messages.ts";

/** Count after so many further messages: other servers may have received too. */
const COUNT_AFTER = 10_000;

interface Deps {
  readonly clock: Clock;
  readonly database: Database;
}

export class Flight {
  readonly #deps: Deps;
  /** At the last count; nothing is known before the first. */
  #counted = IN_FLIGHT_MAX;
  /** Received since. */
  #since = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  received(messages: number): void {
    this.#since += messages;
  }

  /** Whether there is room for more without a count. */
  get hasRoom(): boolean {
    const isAlone = this.#deps.database.engine === "sqlite";
    return this.#counted + this.#since < IN_FLIGHT_MAX && (isAlone || this.#since < COUNT_AFTER);
  }

  async isFull({ id, retentionMs }: Queue): Promise<boolean> {
    if (this.hasRoom) return false;
    const { clock, database } = this.#deps;
    const now = clock.now();
    this.#counted = (await countHidden(database, id, now)) + (await countHiddenInChunks(database, id, now));
    // Some may only be delayed.
    if (this.#counted >= IN_FLIGHT_MAX)
      this.#counted = (await countMessages(database, id, now, now - retentionMs)).inFlight;
    this.#since = 0;
    return this.#counted >= IN_FLIGHT_MAX;
  }
}
