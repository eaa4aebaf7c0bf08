/** Counts what becomes of parcels, under the names of their publishers' metrics. */
import type { Metrics } from "../telemetry/metrics.ts";
import type { Parcel, ParcelMetrics } from "./parcel.ts";

export type Counted = Exclude<keyof ParcelMetrics, "namespace" | "dimensions">;

export function count(metrics: Metrics, { metrics: names, sender }: Parcel, what: Counted): void {
  const counted = names?.[what];
  if (names === undefined || counted === undefined) return;
  const { account, region } = sender;
  const { namespace } = names;
  for (const name of typeof counted === "string" ? [counted] : counted)
    for (const dimensions of names.dimensions)
      metrics
        .series({ namespace, name, unit: "Count", kind: "sum", account, region, dimensions })
        .add(1, metrics.minute());
}
