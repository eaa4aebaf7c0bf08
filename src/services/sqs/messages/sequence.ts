/** The numbers of standard queues' messages: each is given once, and they grow. */
import type { Database } from "../../../store/database.ts";
import { nextNumber } from "../store/queues.ts";

/** Numbers that a server takes at once: more than it gives out in years. Two million such blocks are safe integers. */
const BLOCK = 2 ** 32;

export class Sequence {
  #next: number;

  private constructor(first: number) {
    this.#next = first;
  }

  /** A block of its own for each start of a server. */
  static async open(database: Database): Promise<Sequence> {
    return new Sequence((await database.tx((tx) => nextNumber(tx, "sequence"))) * BLOCK);
  }

  /** @returns the first of so many numbers */
  take(count: number): number {
    const first = this.#next;
    this.#next += count;
    return first;
  }
}
