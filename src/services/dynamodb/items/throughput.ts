/** What tables with provisioned throughput may still read and write. */
import { AwsError } from "../../../aws/errors.ts";
import type { Clock } from "../../../kit/clock.ts";
import type { IndexDefinition, TableDefinition, Throughput } from "../tables/definition.ts";
import { tableArn } from "../tables/definition.ts";
import type { Consumption } from "./capacity.ts";

/** How many seconds' worth of units is kept for later when it is not used. */
const BURST_SECONDS = 300;
/** Tables and indexes whose allowances are remembered. */
const REMEMBERED_MAX = 20_000;

type Kind = "read" | "write";

/** Units that are left, at a time in epoch milliseconds; below 0 after a request that took more than there were. */
interface Allowance {
  left: number;
  at: number;
}

/**
 * The allowances of this server: full when a table is first used, refilled every second by what is provisioned, up to
 * the unused units of the last five minutes. A request is let in while there are any units at all, since what it takes
 * shows only when it has run. On-demand tables have no bounds.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
 */
export class ThroughputMeter {
  readonly #clock: Clock;
  readonly #allowances = new Map<string, Allowance>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Refuses a read of a table or of one of its global indexes, or a write to a table, when nothing is left for it. Which
   * indexes a write touches shows when it runs: see {@link admitToIndexes}.
   *
   * @throws AwsError ProvisionedThroughputExceededException
   */
  admit(table: TableDefinition, kind: Kind, index?: IndexDefinition): void {
    const refusal = this.refusalOf(table, kind, index);
    if (refusal) throw refusal;
  }

  /** As {@link admit}, for batches, of which a part may be let in. */
  refusalOf(table: TableDefinition, kind: Kind, index?: IndexDefinition): AwsError | undefined {
    if (table.billing !== "PROVISIONED") return undefined;
    if (!index?.isGlobal && this.#of(table, kind).left <= 0) return exceeded(table, kind);
    return index?.isGlobal && this.#of(index, kind).left <= 0 ? exceeded(table, kind, index) : undefined;
  }

  /**
   * Refuses a write that touches a global index for which nothing is left, also where the table itself has enough.
   *
   * @param consumption What the write takes, before anything of it is committed.
   * @throws AwsError ProvisionedThroughputExceededException
   */
  admitToIndexes(table: TableDefinition, consumption: Consumption): void {
    const refusal = this.refusalOfIndexes(table, consumption);
    if (refusal) throw refusal;
  }

  /** As {@link admitToIndexes}, for batches. */
  refusalOfIndexes(table: TableDefinition, consumption: Consumption): AwsError | undefined {
    if (table.billing !== "PROVISIONED") return undefined;
    for (const [index, units] of consumption.indexUnits)
      if (units > 0 && index.isGlobal && this.#of(index, "write").left <= 0)
        return exceeded(table, "write", index);
    return undefined;
  }

  /** Takes off what a request has consumed. */
  charge(table: TableDefinition, kind: Kind, consumption: Consumption): void {
    if (table.billing !== "PROVISIONED") return;
    const own = this.#of(table, kind);
    own.left -= consumption.tableUnits;
    for (const [index, units] of consumption.indexUnits)
      if (index.isGlobal) this.#of(index, kind).left -= units;
      else own.left -= units;
  }

  #of({ id, throughput }: { readonly id: number; readonly throughput: Throughput }, kind: Kind): Allowance {
    const name = `${id}/${kind}`;
    const now = this.#clock.now();
    const perSecond = throughput[kind];
    const most = perSecond * BURST_SECONDS;
    let known = this.#allowances.get(name);
    if (known) known.left = Math.min(most, known.left + ((now - known.at) / 1000) * perSecond);
    else {
      if (this.#allowances.size >= REMEMBERED_MAX) this.#allowances.clear();
      known = { left: most, at: now };
      this.#allowances.set(name, known);
    }
    known.at = now;
    return known;
  }
}

function exceeded(table: TableDefinition, kind: Kind, index?: IndexDefinition): AwsError {
  const words = index
    ? "The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded. " +
      "Consider increasing your provisioning level for the under-provisioned global secondary indexes with the UpdateTable API"
    : "The level of configured provisioned throughput for the table was exceeded. " +
      "Consider increasing your provisioning level with the UpdateTable API.";
  const what = `${index ? "Index" : "Table"}${kind === "read" ? "Read" : "Write"}`;
  return new AwsError("ProvisionedThroughputExceededException", words, {
    ThrottlingReasons: [
      {
        reason: `${what}ProvisionedThroughputExceeded`,
        resource: index ? `${tableArn(table)}/index/${index.name}` : tableArn(table),
      },
    ],
  });
}
