/**
 * How far a shard is done. Records are read in order and spread over lanes by their key; each lane works in order, but one may be ahead of
 * another. So a checkpoint is a position before which all is done, and for each lane how far it is beyond that: after a crash
 * nothing is skipped, and only what was in flight comes again.
 */
import { crc32 } from "node:zlib";
import type { ShardPosition } from "./ports.ts";
import { compareSequence } from "./sequence.ts";

/** As it is kept. */
export interface Progress {
  /** Everything up to here is done. */
  readonly position: ShardPosition;
  /** What is done beyond it. More than one while records remain that were spread under an older ParallelizationFactor. */
  readonly ahead: readonly Ahead[];
}

export interface Ahead {
  /** How many lanes the records were spread over. */
  readonly lanes: number;
  /** The last sequence number that each lane has done; null where it has done none. */
  readonly done: readonly (string | null)[];
}

/** The lane of a key. It must not change between versions: what is kept depends on it. */
export function laneOf(key: string, lanes: number): number {
  return lanes === 1 ? 0 : crc32(key) % lanes;
}

interface Pending {
  readonly sequenceNumber: string;
  isDone: boolean;
}

/** Follows one shard in memory. */
export class ProgressTracker {
  readonly #lanes: number;
  readonly #done: (string | null)[];
  /** Of older ParallelizationFactors. */
  #older: readonly Ahead[];
  #position: ShardPosition;
  /** Records that were read and may not be done, in order; those before `#head` are gone. */
  #pending: Pending[] = [];
  #head = 0;
  readonly #bySequence = new Map<string, Pending>();
  /** Where to read on once nothing is pending. */
  #readTo: ShardPosition;

  constructor(progress: Progress, lanes: number) {
    this.#lanes = lanes;
    this.#position = progress.position;
    this.#readTo = progress.position;
    const same = progress.ahead.find((one) => one.lanes === lanes);
    this.#done = [...(same?.done ?? Array.from({ length: lanes }, () => null))];
    this.#older = progress.ahead.filter((one) => one.lanes !== lanes);
  }

  /** Whether a record was done before the server stopped, or by an older ParallelizationFactor. */
  wasDone(sequenceNumber: string, key: string): boolean {
    const isBehind = ({ lanes, done }: Ahead) => {
      const last = done[laneOf(key, lanes)];
      return last !== undefined && last !== null && compareSequence(sequenceNumber, last) <= 0;
    };
    return isBehind({ lanes: this.#lanes, done: this.#done }) || this.#older.some(isBehind);
  }

  /** A record has been read, in order. */
  add(sequenceNumber: string): void {
    const pending = { sequenceNumber, isDone: false };
    this.#pending.push(pending);
    this.#bySequence.set(sequenceNumber, pending);
  }

  /** A read came to its end here. */
  readTo(position: ShardPosition): void {
    this.#readTo = position;
    this.#advance();
  }

  /** A record needs no work: it was filtered out, or done before. */
  skip(sequenceNumber: string): void {
    this.#finish(sequenceNumber);
    this.#advance();
  }

  /** Records of a lane are done, in order. */
  done(lane: number, sequenceNumbers: readonly string[]): void {
    for (const one of sequenceNumbers) this.#finish(one);
    const last = sequenceNumbers.at(-1);
    if (last !== undefined) this.#done[lane] = last;
    this.#advance();
  }

  /** Records that are read and not done. */
  get pending(): number {
    return this.#bySequence.size;
  }

  progress(): Progress {
    const isPast = (one: string | null) =>
      one === null || ("after" in this.#position && compareSequence(one, this.#position.after) <= 0);
    const all = [{ lanes: this.#lanes, done: this.#done }, ...this.#older];
    const ahead = all.filter(({ done }) => !done.every(isPast));
    this.#older = this.#older.filter((one) => !one.done.every(isPast));
    return { position: this.#position, ahead: ahead.map(({ lanes, done }) => ({ lanes, done: [...done] })) };
  }

  #finish(sequenceNumber: string): void {
    const pending = this.#bySequence.get(sequenceNumber);
    if (!pending) return;
    pending.isDone = true;
    this.#bySequence.delete(sequenceNumber);
  }

  #advance(): void {
    for (let first = this.#pending[this.#head]; first?.isDone; first = this.#pending[this.#head]) {
      this.#position = { after: first.sequenceNumber };
      this.#head++;
    }
    if (this.#head === this.#pending.length) this.#position = this.#readTo;
    // Moved up now and then, not for each record.
    if (this.#head * 2 <= this.#pending.length) return;
    this.#pending = this.#pending.slice(this.#head);
    this.#head = 0;
  }
}
