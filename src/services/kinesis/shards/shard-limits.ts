/** What each shard takes and gives in a second, held per server. */

/** Of one shard, as AWS has it. @see https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html */
export const RECORDS_IN_PER_SECOND = 1_000;
export const BYTES_IN_PER_SECOND = 1_048_576;
export const READS_PER_SECOND = 5;
export const BYTES_OUT_PER_SECOND = 2_097_152;
/** GetShardIterator, for each shard. */
const ITERATORS_PER_SECOND = 5;

/** Shards remembered; then all are forgotten. */
const SHARDS_MAX = 100_000;

interface Allowances {
  readonly records: Allowance;
  readonly bytesIn: Allowance;
  readonly reads: Allowance;
  readonly bytesOut: Allowance;
  readonly iterators: Allowance;
}

export class ShardLimits {
  readonly #factor: number;
  readonly #shards = new Map<string, Allowances>();

  /** @param factor Multiplies all limits; 0 takes them away. */
  constructor(factor: number) {
    this.#factor = factor;
  }

  /** Whether the shard takes a record of so many bytes now (epoch milliseconds); if so, it counts. */
  takesRecord(streamId: number, shardNo: number, bytes: number, now: number): boolean {
    if (this.#factor === 0) return true;
    const { records, bytesIn } = this.#of(streamId, shardNo, now);
    if (!records.has(1, now) || !bytesIn.has(bytes, now)) return false;
    records.use(1);
    bytesIn.use(bytes);
    return true;
  }

  /** Whether the shard may be read now; if so, it counts. What is then read is told by `gave`. */
  givesRecords(streamId: number, shardNo: number, now: number): boolean {
    if (this.#factor === 0) return true;
    const { reads, bytesOut } = this.#of(streamId, shardNo, now);
    // A call may give more than a second's worth; the next ones then wait until that is made up for.
    if (!reads.has(1, now) || !bytesOut.has(1, now)) return false;
    reads.use(1);
    return true;
  }

  gave(streamId: number, shardNo: number, bytes: number, now: number): void {
    if (this.#factor !== 0) this.#of(streamId, shardNo, now).bytesOut.use(bytes);
  }

  givesIterator(streamId: number, shardNo: number, now: number): boolean {
    if (this.#factor === 0) return true;
    const { iterators } = this.#of(streamId, shardNo, now);
    if (!iterators.has(1, now)) return false;
    iterators.use(1);
    return true;
  }

  /** What one enhanced fan-out subscription gives; undefined where that is not limited. */
  subscription(now: number): Allowance | undefined {
    return this.#factor === 0 ? undefined : new Allowance(BYTES_OUT_PER_SECOND * this.#factor, now);
  }

  #of(streamId: number, shardNo: number, now: number): Allowances {
    const key = `${streamId} ${shardNo}`;
    const known = this.#shards.get(key);
    if (known) return known;
    if (this.#shards.size >= SHARDS_MAX) this.#shards.clear();
    const of = (perSecond: number) => new Allowance(perSecond * this.#factor, now);
    const made = {
      records: of(RECORDS_IN_PER_SECOND),
      bytesIn: of(BYTES_IN_PER_SECOND),
      reads: of(READS_PER_SECOND),
      bytesOut: of(BYTES_OUT_PER_SECOND),
      iterators: of(ITERATORS_PER_SECOND),
    };
    this.#shards.set(key, made);
    return made;
  }
}

/** So much a second, a second's worth at once. What is more than that at a time is owed, and made up for before the next. */
export class Allowance {
  readonly #perSecond: number;
  #left: number;
  #at: number;

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
    this.#at = now;
  }

  /** Whether so much may be used now; more than a second's worth may where nothing has been used. */
  has(amount: number, now: number): boolean {
    if (now > this.#at) {
      this.#left = Math.min(this.#perSecond, this.#left + ((now - this.#at) * this.#perSecond) / 1_000);
    }
    this.#at = now;
    return this.#left >= Math.min(amount, this.#perSecond);
  }

  use(amount: number): void {
    this.#left -= amount;
  }

  /** After how many milliseconds something may be used again; 0 for now. */
  waitMs(now: number): number {
    return this.has(1, now) ? 0 : Math.ceil(((1 - this.#left) * 1_000) / this.#perSecond);
  }
}
