/** A group's filters, compiled once for each change of them. */
import type { MetricTransformation } from "@aws-sdk/client-cloudwatch-logs";
import type { Reader } from "../../store/database.ts";
import { compileFilterPattern, compileValuePattern } from "./filter-pattern/index.ts";
import type { FilterPattern } from "./filter-pattern/index.ts";
import type { CountedFilter } from "./metric-filters/counter.ts";
import { compileTransformation } from "./metric-filters/transformation.ts";
import type { GroupRow } from "./store.ts";
import { getGroupById } from "./store.ts";
import { metricFiltersOf, subscriptionsOf } from "./store-filters.ts";
import type { NotedFilter } from "./subscriptions/outbox.ts";

export interface Subscription {
  readonly noted: NotedFilter;
  readonly matches: FilterPattern;
}

export interface Filters {
  readonly group: GroupRow;
  readonly subscriptions: readonly Subscription[];
  readonly metrics: readonly CountedFilter[];
}

/** Groups whose filters are kept compiled. */
const GROUPS_MAX = 2_000;

export class GroupFilters {
  readonly #known = new Map<number, { readonly revision: number; readonly filters: Filters }>();

  /** @param revision What the group has now; 0 has no filters. */
  async of(reader: Reader, groupId: number, revision: number): Promise<Filters | undefined> {
    if (revision === 0) return undefined;
    const known = this.#known.get(groupId);
    if (known?.revision === revision) return known.filters;
    const filters = await read(reader, groupId);
    if (!filters) return undefined;
    if (this.#known.size >= GROUPS_MAX) this.#known.delete(this.#known.keys().next().value ?? 0);
    // A transaction that fails may have read what never was; its revision never comes again.
    this.#known.set(groupId, { revision, filters });
    return filters;
  }
}

async function read(reader: Reader, groupId: number): Promise<Filters | undefined> {
  const group = await getGroupById(reader, groupId);
  if (!group) return undefined;
  const subscriptions = (await subscriptionsOf(reader, groupId)).map((row) => ({
    noted: {
      name: row.name,
      pattern: row.pattern,
      destinationArn: row.destination_arn,
      roleArn: row.role_arn,
      distribution: row.distribution,
    },
    matches: compileFilterPattern(row.pattern),
  }));
  const metrics = (await metricFiltersOf(reader, groupId)).flatMap((row) => {
    const pattern = compileValuePattern(row.pattern);
    return (JSON.parse(row.transformations) as MetricTransformation[]).map((one) => ({
      matches: pattern.matches,
      transformation: compileTransformation(one, pattern),
      minutes: new Set<number>(),
    }));
  });
  return { group, subscriptions, metrics };
}
