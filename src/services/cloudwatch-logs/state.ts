/** What cloudwatch-logs' operations share: the dependencies and the live tails. */
import type { CloudwatchLogsDeps } from "./deps.ts";
import type { LiveTails } from "./live-tails.ts";

export interface LogsState extends CloudwatchLogsDeps {
  readonly tails: LiveTails;
  /** Removes what deleted groups and streams left, in the background. */
  readonly sweepSoon: () => void;
}
