/** Adds up what metric filters find in events, once these are durable, where CloudWatch and /_lambent/metrics read it. */
import type { Metrics, Unit } from "../../../telemetry/metrics.ts";
import type { LogEvent } from "../chunk.ts";
import type { FilterPattern } from "../filter-pattern/index.ts";
import type { Measure, Transformation } from "./transformation.ts";

export interface CountedFilter {
  readonly matches: FilterPattern;
  readonly transformation: Transformation;
  /** Minutes since the epoch that have a value already: the default is for the others. */
  readonly minutes: Set<number>;
}

const MINUTE_MS = 60_000;
/** Minutes remembered for each filter; a default value may be told twice for one that was forgotten. */
const MINUTES_MAX = 32;

/** Counts events in the minute of their own time. A minute in which events came and none matched gets the default value, once. */
export function countEvents(
  metrics: Metrics,
  place: { readonly account: string; readonly region: string },
  filters: readonly CountedFilter[],
  events: readonly LogEvent[],
): void {
  for (const { matches, transformation, minutes } of filters) {
    const quiet = new Set<number>();
    for (const { timestamp, message } of events) {
      const minute = Math.floor(timestamp / MINUTE_MS);
      const measure = matches(message) ? transformation.measure(message) : undefined;
      if (measure) add(metrics, place, transformation, measure, minute);
      (measure ? minutes : quiet).add(minute);
    }
    const { defaultValue } = transformation;
    for (const minute of quiet) {
      if (defaultValue === undefined || minutes.has(minute)) continue;
      add(metrics, place, transformation, { value: defaultValue, dimensions: {} }, minute);
      minutes.add(minute);
    }
    for (const minute of minutes) if (minutes.size > MINUTES_MAX) minutes.delete(minute);
  }
}

function add(
  metrics: Metrics,
  { account, region }: { readonly account: string; readonly region: string },
  { namespace, name, unit }: Transformation,
  { value, dimensions }: Measure,
  minute: number,
): void {
  metrics
    .series({ namespace, name, unit: unit as Unit, kind: "distribution", account, region, dimensions })
    .add(value, minute);
}
