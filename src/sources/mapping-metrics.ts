/**
 * Metrics of event source mappings. Those of a group are counted where the mapping's MetricsConfig asks for it; the others always.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#event-source-mapping-metrics
 */
import type { Metrics, Series, SeriesId } from "../telemetry/metrics.ts";
import type { Mapping } from "./mapping.ts";

type Group = "EventCount" | "ErrorCount" | "KafkaMetrics";

/** The group that must be asked for, the unit, and what values mean together. */
const METRICS = {
  PolledEventCount: ["EventCount", "Count", "sum"],
  FilteredOutEventCount: ["EventCount", "Count", "sum"],
  InvokedEventCount: ["EventCount", "Count", "sum"],
  FailedInvokeEventCount: ["EventCount", "Count", "sum"],
  DroppedEventCount: ["EventCount", "Count", "sum"],
  OnFailureDestinationDeliveredEventCount: ["EventCount", "Count", "sum"],
  DeletedEventCount: ["EventCount", "Count", "sum"],
  CommittedEventCount: ["EventCount", "Count", "sum"],
  PollingErrorCount: ["ErrorCount", "Count", "sum"],
  InvokeErrorCount: ["ErrorCount", "Count", "sum"],
  OnFailureDestinationDeliveryErrorCount: ["ErrorCount", "Count", "sum"],
  CommitErrorCount: ["ErrorCount", "Count", "sum"],
  MaxOffsetLag: ["KafkaMetrics", "Count", "level"],
  SumOffsetLag: ["KafkaMetrics", "Count", "level"],
  ProvisionedPollers: [undefined, "Count", "level"],
  IteratorAge: [undefined, "Milliseconds", "distribution"],
  OffsetLag: [undefined, "Count", "level"],
} as const satisfies Record<string, readonly [Group | undefined, SeriesId["unit"], SeriesId["kind"]]>;

export type SourceMetric = keyof typeof METRICS;

/** Counted for the function, not for the mapping. */
const OF_FUNCTION: ReadonlySet<SourceMetric> = new Set(["IteratorAge", "OffsetLag"]);

/** The series of one mapping, each found once. */
export class MappingMetrics {
  readonly #metrics: Metrics;
  readonly #mapping: Mapping;
  readonly #groups: ReadonlySet<string>;
  readonly #held = new Map<SourceMetric, Series>();

  constructor(metrics: Metrics, mapping: Mapping) {
    this.#metrics = metrics;
    this.#mapping = mapping;
    this.#groups = new Set(mapping.settings.MetricsConfig?.Metrics);
  }

  add(name: SourceMetric, value: number): void {
    const [group, unit, kind] = METRICS[name];
    if (group !== undefined && !this.#groups.has(group)) return;
    let series = this.#held.get(name);
    if (!series) {
      const { account, region } = this.#mapping;
      const dimensions = this.#dimensionsOf(name);
      series = this.#metrics.series({
        namespace: "AWS/Lambda",
        name,
        unit,
        kind,
        account,
        region,
        dimensions,
      });
      this.#held.set(name, series);
    }
    series.add(value, this.#metrics.minute());
  }

  #dimensionsOf(name: SourceMetric): Record<string, string> {
    if (!OF_FUNCTION.has(name)) return { EventSourceMappingUUID: this.#mapping.uuid };
    const resource = this.#mapping.functionArn.split(":").slice(6);
    return { FunctionName: resource[0] ?? "", Resource: resource.join(":") };
  }
}
