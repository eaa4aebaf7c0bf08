/** Ready scratch folders, by size of /tmp: a stock of the default size from the start, of another size from its first use. */
import { join } from "node:path";
import type { Log } from "../../telemetry/log.ts";
import { Stock } from "../stock.ts";
import { makeScratch, removeScratch } from "./scratch.ts";
import type { Scratch } from "./scratch.ts";

/** What a function has that names no size, in MB. */
const DEFAULT_MB = 512;

export interface ScratchStocksDeps {
  readonly folder: string;
  /** Folders kept ready of the default size; of another size one. */
  readonly ready: number;
  /** Whether /tmp is limited here. */
  readonly limited: boolean;
  readonly log: Log;
}

export class ScratchStocks {
  readonly #deps: ScratchStocksDeps;
  readonly #stocks = new Map<number, Stock<Scratch>>();
  #made = 0;

  constructor(deps: ScratchStocksDeps) {
    this.#deps = deps;
    this.#stock(DEFAULT_MB).fill();
  }

  take(ephemeralStorageMb: number): Promise<Scratch> {
    return this.#stock(ephemeralStorageMb).take();
  }

  /** Removes a used one; nothing that a function wrote is ever used again. */
  give(scratch: Scratch): Promise<void> {
    return removeScratch(scratch.folder, this.#deps.limited);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#stocks.values()].map((stock) => stock.close()));
  }

  #stock(megabytes: number): Stock<Scratch> {
    const { folder, ready, limited, log } = this.#deps;
    let stock = this.#stocks.get(megabytes);
    if (stock === undefined) {
      stock = new Stock({
        name: `/tmp of ${megabytes} MB`,
        target: megabytes === DEFAULT_MB ? ready : 1,
        make: () => makeScratch(join(folder, String(++this.#made)), megabytes, limited),
        destroy: (scratch) => removeScratch(scratch.folder, limited),
        log,
      });
      this.#stocks.set(megabytes, stock);
    }
    return stock;
  }
}
