/** Counts what becomes of parcels, under the names of their publishers' metrics. */
import type { Metrics, Series } from "../telemetry/metrics.ts";
import type { Parcel, ParcelMetrics } from "../aws/parcel.ts";

export type Counted = Exclude<keyof ParcelMetrics, "namespace" | "dimensions" | "also" | "latency">;
type Moment = keyof NonNullable<ParcelMetrics["latency"]>;

export function count(metrics: Metrics, parcel: Parcel, what: Counted): void {
  const names = parcel.metrics;
  const counted = names?.[what];
  if (!names || counted === undefined) return;
  const held = heldFor(names, parcel);
  held.counts[what] ??= seriesOf(metrics, parcel, names, [counted].flat(), "Count");
  const minute = metrics.minute();
  for (const series of held.counts[what]) series.add(1, minute);
}

/** Tells how long it took to come so far. @param now Epoch milliseconds. */
export function time(metrics: Metrics, parcel: Parcel, moment: Moment, now: number): void {
  const names = parcel.metrics;
  const name = names?.latency?.[moment];
  if (!names || name === undefined || parcel.ingestedAt === undefined) return;
  const held = heldFor(names, parcel);
  held.times[moment] ??= seriesOf(metrics, parcel, names, [name], "Milliseconds");
  const ms = Math.max(0, now - parcel.ingestedAt);
  const minute = metrics.minute();
  for (const series of held.times[moment]) series.add(ms, minute);
}

/** What one set of names is counted in, in an account and region. */
interface Held {
  readonly account: string;
  readonly region: string;
  readonly counts: Partial<Record<Counted, readonly Series[]>>;
  readonly times: Partial<Record<Moment, readonly Series[]>>;
}

const known = new WeakMap<ParcelMetrics, Held>();

function heldFor(names: ParcelMetrics, { sender: { account, region } }: Parcel): Held {
  const found = known.get(names);
  if (found?.account === account && found.region === region) return found;
  const made: Held = { account, region, counts: {}, times: {} };
  known.set(names, made);
  return made;
}

function seriesOf(
  metrics: Metrics,
  { sender: { account, region } }: Parcel,
  { namespace, dimensions: common, also }: ParcelMetrics,
  counted: readonly string[],
  unit: "Count" | "Milliseconds",
): readonly Series[] {
  const kind = unit === "Count" ? "sum" : "distribution";
  return counted.flatMap((name) =>
    [...common, ...(also?.[name] ?? [])].map((dimensions) =>
      metrics.series({ namespace, name, unit, kind, account, region, dimensions }),
    ),
  );
}
