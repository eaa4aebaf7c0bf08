/** What cloudwatch-logs' operations share: the dependencies, the filters of groups and the live tails. */
import type { CloudwatchLogsDeps } from "./deps.ts";
import type { GroupFilters } from "./group-filters.ts";
import type { IngestCounts } from "./ingest-counts.ts";
import type { ResultRow } from "./insights/plan.ts";
import type { LiveTails } from "./live-tails.ts";

export interface LogsState extends CloudwatchLogsDeps {
  readonly tails: LiveTails;
  readonly filters: GroupFilters;
  readonly counts: IngestCounts;
  /** Removes what deleted groups and streams left, in the background. */
  readonly sweepSoon: () => void;
  /** Ends a query's thread, where this server runs it. */
  readonly cancelQuery: (queryId: string) => void;
  /** What a query has found so far, where this server runs it. */
  readonly earlyRows: (queryId: string) => readonly ResultRow[];
}
