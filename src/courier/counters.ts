/** Counts what becomes of parcels, under the names of their publishers' metrics. */
import type { Metrics, Series } from "../telemetry/metrics.ts";
import type { Parcel, ParcelMetrics } from "../aws/parcel.ts";

export type Counted = Exclude<keyof ParcelMetrics, "namespace" | "dimensions" | "also" | "latency">;
type Moment = keyof NonNullable<ParcelMetrics["latency"]>;

export function count(metrics: Metrics, parcel: Parcel, what: Counted): void {
  const counted = parcel.metrics?.[what];
  if (counted === undefined) return;
  for (const series of seriesOf(metrics, parcel, what, counted)) series.add(1, metrics.minute());
}

/** Tells how long it took to come so far. @param now Epoch milliseconds. */
export function time(metrics: Metrics, parcel: Parcel, moment: Moment, now: number): void {
  const name = parcel.metrics?.latency?.[moment];
  if (name === undefined || parcel.ingestedAt === undefined) return;
  const ms = Math.max(0, now - parcel.ingestedAt);
  for (const series of seriesOf(metrics, parcel, `latency ${moment}`, name, "Milliseconds"))
    series.add(ms, metrics.minute());
}

/** By what is counted, in an account and region. */
const known = new WeakMap<ParcelMetrics, Map<string, readonly Series[]>>();

function seriesOf(
  metrics: Metrics,
  { metrics: names, sender: { account, region } }: Parcel,
  what: string,
  counted: string | readonly string[],
  unit: "Count" | "Milliseconds" = "Count",
): readonly Series[] {
  if (!names) return [];
  let kinds = known.get(names);
  if (!kinds) known.set(names, (kinds = new Map()));
  const key = `${account}/${region}/${what}`;
  const found = kinds.get(key);
  if (found) return found;
  const { namespace, dimensions: common, also } = names;
  const kind = unit === "Count" ? "sum" : "distribution";
  const made = [counted]
    .flat()
    .flatMap((name: string) =>
      [...common, ...(also?.[name] ?? [])].map((dimensions) =>
        metrics.series({ namespace, name, unit, kind, account, region, dimensions }),
      ),
    );
  kinds.set(key, made);
  return made;
}
