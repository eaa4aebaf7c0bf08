/** Read and write units, and the reports of them. */
import type { ConsumedCapacity, ReturnConsumedCapacity } from "@aws-sdk/client-dynamodb";
import type { IndexDefinition } from "../tables/definition.ts";

const READ_UNIT_BYTES = 4096;
const WRITE_UNIT_BYTES = 1024;

/** Units of reading so many bytes: half of them when any replica may answer, double in a transaction. */
export function readUnits(bytes: number, kind: "eventual" | "consistent" | "transaction"): number {
  const units = Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES));
  if (kind === "eventual") return units / 2;
  return kind === "consistent" ? units : units * 2;
}

/** Units of a write that leaves or replaces so many bytes, whichever is more. */
export function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES));
}

/** What one request consumed of one table and its indexes. */
export class Consumption {
  #table = 0;
  readonly #indexes = new Map<IndexDefinition, number>();

  addTable(units: number): void {
    this.#table += units;
  }

  addIndex(index: IndexDefinition, units: number): void {
    this.#indexes.set(index, (this.#indexes.get(index) ?? 0) + units);
  }

  add(other: Consumption): void {
    this.#table += other.#table;
    for (const [index, units] of other.#indexes) this.addIndex(index, units);
  }

  /** Units of the table itself. */
  get tableUnits(): number {
    return this.#table;
  }

  /** Units of its indexes. */
  get indexUnits(): ReadonlyMap<IndexDefinition, number> {
    return this.#indexes;
  }

  /** Everything twice, as in a transaction. */
  doubled(): Consumption {
    const doubled = new Consumption();
    doubled.add(this);
    doubled.add(this);
    return doubled;
  }

  /** The report, if one is wanted. A transaction says besides which kind of units they are. */
  report(
    wanted: ReturnConsumedCapacity | undefined,
    tableName: string,
    transaction?: "read" | "write",
  ): ConsumedCapacity | undefined {
    if (wanted !== "TOTAL" && wanted !== "INDEXES") return undefined;
    const units = (capacity: number) => ({
      ...(transaction === "read" && { ReadCapacityUnits: capacity }),
      ...(transaction === "write" && { WriteCapacityUnits: capacity }),
      CapacityUnits: capacity,
    });
    const total = [...this.#indexes.values()].reduce((sum, part) => sum + part, this.#table);
    if (wanted === "TOTAL") return { TableName: tableName, ...units(total) };
    const ofIndexes = (isGlobal: boolean) => {
      const parts = [...this.#indexes].filter(([index, part]) => index.isGlobal === isGlobal && part > 0);
      return parts.length > 0
        ? Object.fromEntries(parts.map(([index, part]) => [index.name, units(part)]))
        : undefined;
    };
    const local = ofIndexes(false);
    const global = ofIndexes(true);
    return {
      TableName: tableName,
      ...units(total),
      Table: units(this.#table),
      ...(local && { LocalSecondaryIndexes: local }),
      ...(global && { GlobalSecondaryIndexes: global }),
    };
  }
}
