/** Keeps what writes replace, in the transactions of the writes. */
import type { Clock } from "../../../kit/clock.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Replaced } from "../store-history.ts";
import { addHistory } from "../store-history.ts";
import type { SequenceNumbers } from "../streams/sequence.ts";
import type { TableHistory } from "../tables/definition.ts";

export interface HistoryDeps {
  readonly clock: Clock;
  readonly sequence: SequenceNumbers;
}

export class HistoryLog {
  readonly #deps: HistoryDeps;

  constructor(deps: HistoryDeps) {
    this.#deps = deps;
  }

  async record(transaction: Transaction, replaced: readonly Replaced[]): Promise<void> {
    const { clock, sequence } = this.#deps;
    const numbers = await sequence.take(transaction, replaced.length);
    const now = clock.now();
    for (const [i, one] of replaced.entries())
      await addHistory(transaction, one, { sequence: numbers[i] as number, now });
  }

  /** A number above those of all entries that were made before. */
  async mark(transaction: Transaction): Promise<number> {
    const [mark = 0] = await this.#deps.sequence.take(transaction, 1);
    return mark;
  }
}

/** The history without a copy; undefined where nothing needs it any more. */
export function withoutCopy(history: TableHistory, id: number): TableHistory | undefined {
  const left = { ...history, copies: history.copies.filter((copy) => copy !== id) };
  return left.recovery || left.copies.length > 0 ? left : undefined;
}
