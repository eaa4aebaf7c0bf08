/** How many items a table and its indexes hold: counted bit by bit, and remembered for a while. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../../kit/clock.ts";
import type { Reader } from "../../../store/database.ts";
import { sizesAfter } from "../store-items.ts";
import type { RowPlace } from "../store-items.ts";
import type { TableDefinition } from "./definition.ts";
import type { Counts } from "./describe.ts";

/** Rows counted before others get their turn. */
const STEP_ROWS = 2000;
/** Rows beyond which a count is taken from memory for {@link LARGE_AGE_MS} (AWS's own is up to six hours old). */
const LARGE_ROWS = 20_000;
const LARGE_AGE_MS = 6 * 60 * 60 * 1000;
/** Owners whose counts are remembered. */
const REMEMBERED_MAX = 10_000;

const NO_BYTES: Uint8Array = new Uint8Array();

/** Counts of rows by owner. */
export class TableCounts {
  readonly #reader: Reader;
  readonly #clock: Clock;
  readonly #large = new Map<number, Counts & { readonly countedAt: number }>();

  constructor(reader: Reader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** The counts of a table and of its indexes. */
  async of(table: TableDefinition): Promise<ReadonlyMap<number, Counts>> {
    const counts = new Map<number, Counts>();
    for (const { id } of [table, ...table.indexes]) counts.set(id, await this.#count(id));
    return counts;
  }

  async #count(owner: number): Promise<Counts> {
    const known = this.#large.get(owner);
    if (known && this.#clock.now() - known.countedAt < LARGE_AGE_MS) return known;
    let items = 0;
    let bytes = 0;
    let last: RowPlace | undefined = { owner, partition: NO_BYTES, position: NO_BYTES };
    while (last) {
      const rows = await sizesAfter(this.#reader, last, STEP_ROWS);
      items += rows.length;
      for (const { size } of rows) bytes += size;
      last = rows.length === STEP_ROWS ? rows.at(-1) : undefined;
      if (last) await setImmediate();
    }
    const counts = { items, bytes, countedAt: this.#clock.now() };
    if (this.#large.size >= REMEMBERED_MAX) this.#large.clear();
    if (items > LARGE_ROWS) this.#large.set(owner, counts);
    return counts;
  }
}
