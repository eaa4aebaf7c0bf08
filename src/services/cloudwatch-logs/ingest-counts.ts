/** AWS's metrics of what log groups take in: IncomingLogEvents and IncomingBytes, of each group and of the account. */
import type { Metrics, Series } from "../../telemetry/metrics.ts";

/** Where events come in. */
export interface GroupPlace {
  readonly account: string;
  readonly region: string;
  readonly group: string;
}

interface Counted {
  readonly events: readonly Series[];
  readonly bytes: readonly Series[];
}

/** Groups whose series are held on to. */
const GROUPS_MAX = 10_000;

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html */
export class IngestCounts {
  readonly #metrics: Metrics;
  readonly #known = new Map<string, Counted>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** @param bytes As CloudWatch Logs counts: UTF-8 of the messages, and 26 for each event. */
  add(place: GroupPlace, events: number, bytes: number): void {
    const key = `${place.account} ${place.region} ${place.group}`;
    let counted = this.#known.get(key);
    if (!counted) {
      if (this.#known.size >= GROUPS_MAX) this.#known.clear();
      this.#known.set(key, (counted = this.#seriesOf(place)));
    }
    const minute = this.#metrics.minute();
    for (const series of counted.events) series.add(events, minute);
    for (const series of counted.bytes) series.add(bytes, minute);
  }

  #seriesOf({ account, region, group: LogGroupName }: GroupPlace): Counted {
    const all = (name: string, unit: "Count" | "Bytes") =>
      [{ LogGroupName }, {}].map((dimensions) =>
        this.#metrics.series({ namespace: "AWS/Logs", name, unit, kind: "sum", account, region, dimensions }),
      );
    return { events: all("IncomingLogEvents", "Count"), bytes: all("IncomingBytes", "Bytes") };
  }
}
