/**
 * Brings a batch to the function: again until it succeeds, or as far as the mapping's error handling goes.
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
 */
import { readBatchAnswer } from "../batch-item-failures.ts";
import { problemOfInvocation } from "../problems.ts";
import type { InvokeOutcome } from "../source.ts";
import type { KafkaEvent } from "./event.ts";

/** What a mapping says of failures. */
export interface ErrorHandling {
  /** After the first try; Infinity for as often as it takes. */
  readonly retriesMax: number;
  /** Infinity where records may be of any age. */
  readonly ageMsMax: number;
  readonly isBisecting: boolean;
  readonly isReportingItems: boolean;
}

/** Why events were given up. */
export interface GivenUp {
  readonly condition: "RetryAttemptsExhausted" | "RecordAgeExceeded" | "MaximumPayloadSizeExceeded";
  /** Times that they were handed to the function. */
  readonly invokeCount: number;
  /** The last answer; undefined where there was none. */
  readonly outcome: InvokeOutcome | undefined;
}

export interface DeliveryPorts {
  readonly signal: AbortSignal;
  now(): number;
  /** Resolves early when the signal aborts. */
  sleep(ms: number): Promise<void>;
  invoke(events: readonly KafkaEvent[]): Promise<InvokeOutcome>;
  /** Hands events to the OnFailure destination. */
  giveUp(events: readonly KafkaEvent[], why: GivenUp): Promise<void>;
  /** LastProcessingResult. */
  processed(result: string): void;
  /** For the metrics and the number of lanes. */
  failed(outcome: InvokeOutcome): void;
  readonly topic: string;
}

const pauseMsMin = 500;
const pauseMsMax = 30_000;

/** Answers whether all events are done with: handled or given up. False when it was stopped before. */
export async function deliver(
  events: readonly KafkaEvent[],
  handling: ErrorHandling,
  ports: DeliveryPorts,
  invokedBefore = 0,
): Promise<boolean> {
  let left = events;
  let invokeCount = invokedBefore;
  let outcome: InvokeOutcome | undefined;
  for (let failures = 0; ; failures++) {
    left = await withoutAged(left, handling, ports, { invokeCount, outcome });
    if (left.length === 0) return true;
    if (ports.signal.aborted) return false;
    outcome = await ports.invoke(left);
    const failed = failedOf(left, outcome, handling, ports.topic);
    ports.processed(failed.length === 0 ? "OK" : problemOfInvocation(outcome));
    if (failed.length === 0) return true;
    ports.failed(outcome);
    left = failed;
    if (outcome.kind === "ok" || outcome.kind === "function-error") {
      // Splitting uses up no try: both halves go on with what the whole had.
      if (handling.isBisecting && left.length > 1) return halves(left, handling, ports, invokeCount);
      invokeCount += 1;
      if (invokeCount > handling.retriesMax) {
        await ports.giveUp(left, { condition: "RetryAttemptsExhausted", invokeCount, outcome });
        return true;
      }
    }
    await ports.sleep(pause(failures));
  }
}

async function halves(
  events: readonly KafkaEvent[],
  handling: ErrorHandling,
  ports: DeliveryPorts,
  invokeCount: number,
): Promise<boolean> {
  const middle = Math.ceil(events.length / 2);
  return (
    (await deliver(events.slice(0, middle), handling, ports, invokeCount)) &&
    (await deliver(events.slice(middle), handling, ports, invokeCount))
  );
}

/** The events that the answer leaves undone. */
function failedOf(
  events: readonly KafkaEvent[],
  outcome: InvokeOutcome,
  { isReportingItems }: ErrorHandling,
  topic: string,
): readonly KafkaEvent[] {
  if (outcome.kind !== "ok") return events;
  if (!isReportingItems) return [];
  const answer = readBatchAnswer(outcome.payload, (identifier) => find(events, identifier, topic));
  if (answer.outcome === "success") return [];
  if (answer.outcome === "failure") return events;
  const failed = new Set(answer.failed);
  // In the order in which they came.
  return events.filter((event) => failed.has(event));
}

/** An item is named by `{"partition":"topic-0","offset":100}`. */
function find(events: readonly KafkaEvent[], identifier: unknown, topic: string): KafkaEvent | undefined {
  if (typeof identifier !== "object" || identifier === null) return undefined;
  const { partition, offset } = identifier as { partition?: unknown; offset?: unknown };
  return events.find(
    (event) => `${topic}-${event.partition}` === partition && Number(event.offset) === Number(offset),
  );
}

async function withoutAged(
  events: readonly KafkaEvent[],
  { ageMsMax }: ErrorHandling,
  ports: DeliveryPorts,
  so: Pick<GivenUp, "invokeCount" | "outcome">,
): Promise<readonly KafkaEvent[]> {
  if (ageMsMax === Infinity) return events;
  const oldest = ports.now() - ageMsMax;
  const aged = events.filter(({ timestampMs }) => timestampMs < oldest);
  if (aged.length === 0) return events;
  await ports.giveUp(aged, { condition: "RecordAgeExceeded", ...so });
  return events.filter(({ timestampMs }) => timestampMs >= oldest);
}

/** Twice as long after each failure. */
function pause(failures: number): number {
  return Math.min(pauseMsMax, pauseMsMin * 2 ** failures);
}
