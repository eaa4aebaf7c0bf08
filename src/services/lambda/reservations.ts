/** Keeps the data path at the reserved concurrency that is committed. */
import type { Invoker } from "../../invoke/index.ts";
import type { Database, Transaction } from "../../store/database.ts";
import { functionArn } from "./names.ts";
import type { FunctionId } from "./names.ts";
import { readAllReserved, saveReserved } from "./store-concurrency.ts";

interface Deps {
  readonly database: Database;
  readonly invoker: Invoker;
}

export class Reservations {
  readonly #deps: Deps;
  /** What the data path was told, by function's ARN. */
  readonly #told = new Map<string, FunctionId & { readonly reserved: number }>();
  /** Grows with every change, so that a read that began before it is not believed. */
  #epoch = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** In effect for the next invocation once the transaction is committed. @param reserved undefined takes it back. */
  async set(tx: Transaction, id: FunctionId, reserved: number | undefined): Promise<void> {
    await saveReserved(tx, id, reserved ?? null);
    tx.onCommit(() => {
      this.#epoch++;
      this.#tell(id, reserved);
    });
  }

  /** Reads what is committed: before the first invocation, and where other servers write to the same database. */
  async load(): Promise<void> {
    const epoch = this.#epoch;
    const rows = await readAllReserved(this.#deps.database);
    if (epoch !== this.#epoch) return;
    const current = new Set<string>();
    for (const { reserved, ...id } of rows) {
      current.add(functionArn(id));
      if (this.#told.get(functionArn(id))?.reserved !== reserved) this.#tell(id, reserved);
    }
    for (const [arn, id] of this.#told) if (!current.has(arn)) this.#tell(id, undefined);
  }

  #tell({ account, region, name }: FunctionId, reserved: number | undefined): void {
    const arn = functionArn({ account, region, name });
    this.#deps.invoker.reserve({ account, region, functionArn: arn }, reserved);
    if (reserved === undefined) this.#told.delete(arn);
    else this.#told.set(arn, { account, region, name, reserved });
  }
}
