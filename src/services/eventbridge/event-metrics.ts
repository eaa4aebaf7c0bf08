/**
 * EventBridge's metrics, counted where things happen, with the dimensions that AWS documents. What nothing here can do is not counted: throttle
 * rules or requests, take partners' events, encrypt a bus anew.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
 */
import type { Metrics, Series, SeriesId } from "../../telemetry/metrics.ts";
import { DEFAULT_BUS } from "./names.ts";
import type { BusId, Place } from "./names.ts";
import type { ParcelMetrics } from "../../aws/parcel.ts";

const NAMESPACE = "AWS/Events";
/** Places, buses and rules whose series are held; then all are looked up again. */
const HELD_MAX = 20_000;

type Dimensions = Readonly<Record<string, string>>;

/** A request of PutEvents that was answered. */
export interface PutRequest {
  readonly entries: number;
  readonly failed: number;
  readonly bytes: number;
  readonly ms: number;
}

export class EventMetrics {
  readonly #metrics: Metrics;
  readonly #held = new Map<string, readonly Series[]>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** An event has met these rules of a bus. @param invocations Targets that it goes to. */
  matched(bus: BusId, rules: readonly string[], invocations: number): void {
    if (rules.length === 0) return;
    this.#count(bus, `matched ${bus.name}`, 1, () => series(bus, "MatchedEvents", wideOf(bus)));
    for (const rule of rules)
      this.#count(bus, `matched ${bus.name}/${rule}`, 1, () =>
        ["MatchedEvents", "TriggeredRules"].flatMap((name) => series(bus, name, [ruleOf(bus, rule)])),
      );
    this.#count(bus, `triggered ${bus.name}`, rules.length, () => series(bus, "TriggeredRules", wideOf(bus)));
    this.#created(bus, invocations);
  }

  /** A scheduled rule has come due. */
  triggered(bus: BusId, rule: string, invocations: number): void {
    this.#count(bus, `triggered ${bus.name}`, 1, () => series(bus, "TriggeredRules", wideOf(bus)));
    this.#count(bus, `triggered ${bus.name}/${rule}`, 1, () =>
      series(bus, "TriggeredRules", [ruleOf(bus, rule)]),
    );
    this.#created(bus, invocations);
  }

  /** A request of PutEvents has been answered, or refused. */
  put(place: Place, request: PutRequest | undefined): void {
    const add = (name: string, value: number, unit: SeriesId["unit"] = "Count") =>
      this.#count(place, name, value, () => series(place, name, [{}], unit));
    add("PutEventsApproximateCallCount", 1);
    if (!request) return add("PutEventsApproximateFailedCount", 1);
    add("PutEventsApproximateSuccessCount", 1);
    add("PutEventsEntriesCount", request.entries);
    add("PutEventsFailedEntriesCount", request.failed);
    add("PutEventsRequestSize", request.bytes, "Bytes");
    add("PutEventsLatency", request.ms, "Milliseconds");
  }

  #created(place: Place, invocations: number): void {
    if (invocations > 0)
      this.#count(place, "created", invocations, () => series(place, "InvocationsCreated", [{}]));
  }

  #count({ account, region }: Place, what: string, value: number, ids: () => SeriesId[]): void {
    const key = `${account}/${region}/${what}`;
    let held = this.#held.get(key);
    if (!held) {
      if (this.#held.size >= HELD_MAX) this.#held.clear();
      this.#held.set(key, (held = ids().map((id) => this.#metrics.series(id))));
    }
    const minute = this.#metrics.minute();
    for (const one of held) one.add(value, minute);
  }
}

/** What the courier counts of an event on its way to a target. */
export function deliveryMetrics(bus: BusId, rule: string): ParcelMetrics {
  const wide = wideOf(bus);
  return {
    namespace: NAMESPACE,
    dimensions: [ruleOf(bus, rule)],
    attempt: "InvocationAttempts",
    delivered: ["Invocations", "SuccessfulInvocationAttempts"],
    retried: "RetryInvocationAttempts",
    failed: ["Invocations", "FailedInvocations"],
    deadLettered: "InvocationsSentToDlq",
    deadLetterFailed: "InvocationsFailedToBeSentToDlq",
    latency: {
      started: "IngestionToInvocationStartLatency",
      completed: "IngestionToInvocationCompleteLatency",
      delivered: "IngestionToInvocationSuccessLatency",
    },
    also: {
      Invocations: [{}],
      InvocationAttempts: wide,
      SuccessfulInvocationAttempts: wide,
      RetryInvocationAttempts: wide,
      IngestionToInvocationStartLatency: wide,
      IngestionToInvocationCompleteLatency: wide,
      IngestionToInvocationSuccessLatency: wide,
    },
  };
}

/** A rule alone is one of the default bus. */
function ruleOf({ name }: BusId, RuleName: string): Dimensions {
  return name === DEFAULT_BUS ? { RuleName } : { EventBusName: name, RuleName };
}

/** Over all rules: of the account, and of a bus that has a name. */
function wideOf({ name }: BusId): Dimensions[] {
  return name === DEFAULT_BUS ? [{}] : [{}, { EventBusName: name }];
}

function series(
  { account, region }: Place,
  name: string,
  dimensions: readonly Dimensions[],
  unit: SeriesId["unit"] = "Count",
): SeriesId[] {
  const kind = unit === "Count" ? "sum" : "distribution";
  return dimensions.map((one) => ({
    namespace: NAMESPACE,
    name,
    unit,
    kind,
    account,
    region,
    dimensions: one,
  }));
}
