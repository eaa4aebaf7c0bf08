/** What splits, merges and changes of a stream's shard count do to its shards. Pure. */
import { keyAfter, keyBefore, uniformRanges } from "./hash-key.ts";
import type { HashRange } from "./hash-key.ts";
import type { Shard } from "./shard.ts";

/** The shards of a stream while they are being changed. */
export class Resharding {
  /** By number, closed ones too. */
  readonly #shards: Map<number, Shard>;
  readonly #changed = new Set<number>();
  readonly #now: number;
  #nextNo: number;

  /** @param nextNo The number of the next new shard. @param now Epoch milliseconds. */
  constructor(shards: readonly Shard[], nextNo: number, now: number) {
    this.#shards = new Map(shards.map((shard) => [shard.shardNo, shard]));
    this.#nextNo = nextNo;
    this.#now = now;
  }

  get nextNo(): number {
    return this.#nextNo;
  }

  /** Shards that are new, and those that have been closed. */
  get changed(): Shard[] {
    return [...this.#changed].map((shardNo) => this.#shard(shardNo));
  }

  /** Those that take records, in the order of their ranges. */
  get open(): Shard[] {
    return openShards([...this.#shards.values()]);
  }

  /** Cuts an open shard in two, `startHash` being the first key of the second. */
  split(shardNo: number, startHash: string): [Shard, Shard] {
    const parent = this.#close(shardNo);
    return [
      this.#add({ startHash: parent.startHash, endHash: keyBefore(startHash) }, [parent]),
      this.#add({ startHash, endHash: parent.endHash }, [parent]),
    ];
  }

  /** Joins two open shards whose ranges touch. */
  merge(shardNo: number, adjacentNo: number): Shard {
    const parents = [this.#close(shardNo), this.#close(adjacentNo)];
    const [first, second] = parents.toSorted(byRange);
    return this.#add({ startHash: first?.startHash ?? "", endHash: second?.endHash ?? "" }, parents);
  }

  /** Splits and merges until there are so many open shards of one size; shards made on the way are closed again. */
  scale(count: number): void {
    for (const range of uniformRanges(count)) {
      for (const shard of this.open)
        if (shard.startHash < range.startHash && shard.endHash >= range.startHash)
          this.split(shard.shardNo, range.startHash);
      for (const shard of this.open)
        if (shard.startHash <= range.endHash && shard.endHash > range.endHash)
          this.split(shard.shardNo, keyAfter(range.endHash));
      const parts = this.open.filter(
        (shard) => shard.startHash >= range.startHash && shard.endHash <= range.endHash,
      );
      parts.reduce((whole, part) => this.merge(whole.shardNo, part.shardNo));
    }
  }

  #close(shardNo: number): Shard {
    const closed = { ...this.#shard(shardNo), closedAt: this.#now };
    return this.#keep(closed);
  }

  #add(range: HashRange, parents: readonly Shard[]): Shard {
    const shard = newShard(this.#nextNo++, range, parents, this.#now);
    return this.#keep(shard);
  }

  #keep(shard: Shard): Shard {
    this.#shards.set(shard.shardNo, shard);
    this.#changed.add(shard.shardNo);
    return shard;
  }

  #shard(shardNo: number): Shard {
    const shard = this.#shards.get(shardNo);
    if (!shard) throw new Error(`There is no shard ${shardNo}`);
    return shard;
  }
}

/** An open shard. @param now Epoch milliseconds. */
export function newShard(shardNo: number, range: HashRange, parents: readonly Shard[], now: number): Shard {
  // Numbers of children are greater than those of their parents, however soon they follow.
  const createdSeconds = Math.max(
    Math.floor(now / 1_000),
    ...parents.map((parent) => parent.createdSeconds + 1),
  );
  const [parentNo, adjacentNo] = parents.map((parent) => parent.shardNo);
  return {
    ...range,
    shardNo,
    parentNo: parentNo ?? null,
    adjacentNo: adjacentNo ?? null,
    createdSeconds,
    createdAt: now,
    closedAt: null,
  };
}

/** Those that take records, in the order of their ranges. */
export function openShards(shards: readonly Shard[]): Shard[] {
  return shards.filter((shard) => shard.closedAt === null).sort(byRange);
}

function byRange(a: Shard, b: Shard): number {
  return a.startHash < b.startHash ? -1 : 1;
}
