/** How many execution environments boot at once: a burst waits its turn here instead of thrashing the machine. */
import { availableParallelism } from "node:os";

/** A booting environment keeps a core busy for part of its time; more at once make all of them later. */
const bootsPerCpu = 2;
/** A boot counts for at most this long: an init phase may wait for something else for seconds, and must not hold up others. */
const bootCountsMsMax = 1_000;

/** Boots of each owner, begun in turn among the owners, so that one owner's burst does not delay another's first boot. */
export class BootQueue<Owner> {
  readonly #begin: (owner: Owner) => Promise<void>;
  readonly #atOnceMax: number;
  /** Boots that wait; the owner whose turn is next is first. */
  readonly #waiting = new Map<Owner, number>();
  #running = 0;

  /** @param begin Boots one environment; resolves when its init phase has ended, however it did. Never rejects. */
  constructor(begin: (owner: Owner) => Promise<void>, atOnceMax = bootsPerCpu * availableParallelism()) {
    this.#begin = begin;
    this.#atOnceMax = atOnceMax;
  }

  add(owner: Owner): void {
    this.#waiting.set(owner, (this.#waiting.get(owner) ?? 0) + 1);
    this.#next();
  }

  /** Takes back one boot that has not begun. False when there is none. */
  drop(owner: Owner): boolean {
    const count = this.#waiting.get(owner);
    if (count === undefined) return false;
    if (count > 1) this.#waiting.set(owner, count - 1);
    else this.#waiting.delete(owner);
    return true;
  }

  #next(): void {
    while (this.#running < this.#atOnceMax) {
      const turn = this.#waiting.entries().next().value;
      if (!turn) return;
      const [owner, count] = turn;
      this.#waiting.delete(owner);
      if (count > 1) this.#waiting.set(owner, count - 1);
      void this.#run(owner);
    }
  }

  async #run(owner: Owner): Promise<void> {
    this.#running++;
    let timer: NodeJS.Timeout | undefined;
    const counted = new Promise<void>((resolve) => (timer = setTimeout(resolve, bootCountsMsMax).unref()));
    await Promise.race([this.#begin(owner), counted]);
    clearTimeout(timer);
    this.#running--;
    this.#next();
  }
}
