/** Counts what becomes of asynchronous events, under AWS's names: by function, and by the name that was invoked. */
import type { LambdaMetrics, MetricName } from "../../../invoke/index.ts";
import type { FunctionReference } from "../names.ts";

type Counted = ReturnType<LambdaMetrics["series"]>;

/** Names whose series are held, so that an event finds its series without a search. */
const NAMES_MAX = 10_000;

export class EventMetrics {
  readonly #metrics: LambdaMetrics;
  readonly #held = new Map<string, Counted>();

  constructor(metrics: LambdaMetrics) {
    this.#metrics = metrics;
  }

  /** @param value A count, or milliseconds for AsyncEventAge. */
  add({ account, region, name, qualifier }: FunctionReference, metric: MetricName, value = 1): void {
    const key = `${metric} ${account} ${region} ${name}:${qualifier ?? ""}`;
    let series = this.#held.get(key);
    if (!series) {
      const resource = qualifier === undefined ? name : `${name}:${qualifier}`;
      series = this.#metrics.series({ account, region, functionName: name, resource }, metric);
      if (this.#held.size >= NAMES_MAX) this.#held.clear();
      this.#held.set(key, series);
    }
    series.add(value, this.#metrics.minute());
  }
}
