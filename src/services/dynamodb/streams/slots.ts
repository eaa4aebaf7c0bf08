/** How many shards of a stream are open at a time: one for each partition that AWS would give the table. */
import type { TableDefinition } from "../tables/definition.ts";

/** A new on-demand table takes 4,000 write units a second: four partitions of 1,000. */
const ON_DEMAND_SLOTS = 4;
const READS_PER_PARTITION = 3000;
const WRITES_PER_PARTITION = 1000;
/** More would only be more pollers on one machine. */
const SLOTS_MAX = 16;

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.Partitions.html */
export function slotsOf({ billing, throughput }: Pick<TableDefinition, "billing" | "throughput">): number {
  if (billing === "PAY_PER_REQUEST") return ON_DEMAND_SLOTS;
  const partitions = throughput.read / READS_PER_PARTITION + throughput.write / WRITES_PER_PARTITION;
  return Math.min(SLOTS_MAX, Math.max(1, Math.ceil(partitions)));
}
