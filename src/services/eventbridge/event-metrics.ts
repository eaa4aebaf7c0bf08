/** EventBridge's metrics, counted where things happen. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html */
import type { Metrics } from "../../telemetry/metrics.ts";
import { DEFAULT_BUS } from "./names.ts";
import type { BusId } from "./names.ts";
import type { ParcelMetrics } from "./ports.ts";

const NAMESPACE = "AWS/Events";

export class EventMetrics {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** An event has met these rules of a bus. */
  matched(bus: BusId, rules: readonly string[]): void {
    if (rules.length === 0) return;
    const ofBus = bus.name === DEFAULT_BUS ? {} : { EventBusName: bus.name };
    this.#count(bus, "MatchedEvents", ofBus);
    for (const rule of rules)
      for (const dimensions of dimensionsOf(bus, rule)) this.#count(bus, "TriggeredRules", dimensions);
  }

  /** A scheduled rule has come due. */
  triggered(bus: BusId, rule: string): void {
    for (const dimensions of dimensionsOf(bus, rule)) this.#count(bus, "TriggeredRules", dimensions);
  }

  #count({ account, region }: BusId, name: string, dimensions: Readonly<Record<string, string>>): void {
    this.#metrics
      .series({ namespace: NAMESPACE, name, unit: "Count", kind: "sum", account, region, dimensions })
      .add(1, this.#metrics.minute());
  }
}

/** What the courier counts of an event on its way to a target. */
export function deliveryMetrics(bus: BusId, rule: string): ParcelMetrics {
  return {
    namespace: NAMESPACE,
    dimensions: dimensionsOf(bus, rule),
    attempt: "InvocationAttempts",
    delivered: ["Invocations", "SuccessfulInvocationAttempts"],
    retried: "RetryInvocationAttempts",
    failed: ["Invocations", "FailedInvocations"],
    deadLettered: "InvocationsSentToDlq",
    deadLetterFailed: "InvocationsFailedToBeSentToDlq",
  };
}

function dimensionsOf({ name }: BusId, RuleName: string): Readonly<Record<string, string>>[] {
  return name === DEFAULT_BUS ? [{ RuleName }] : [{ EventBusName: name, RuleName }];
}
