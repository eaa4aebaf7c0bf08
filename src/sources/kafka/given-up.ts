/** Records of events that were given up, as OnFailure destinations get them. https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html */
import type { GivenUp } from "./delivery.ts";
import { byPartition } from "./event.ts";
import type { Envelope, KafkaEvent } from "./event.ts";

interface About extends GivenUp {
  readonly functionArn: string;
  readonly envelope: Envelope;
  readonly events: readonly KafkaEvent[];
  /** The event that the function got, or would have got. */
  readonly payload: Buffer;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Of an invocation that never was. */
  readonly noRequestId: string;
}

/** What queues get; buckets get the whole event too. */
export function batchRecord(about: About, isWithPayload: boolean): Buffer {
  const topicPartitions = [...byPartition(about.events)].map(([partition, own]) => [
    `${about.envelope.topic}-${partition}`,
    {
      firstRecordOffset: String(own[0]?.offset),
      lastRecordOffset: String(own.at(-1)?.offset),
      firstRecordTimestamp: isoOf(own[0]),
      lastRecordTimestamp: isoOf(own.at(-1)),
    },
  ]);
  return Buffer.from(
    JSON.stringify({
      ...common(about),
      KafkaBatchInfo: { ...batchInfo(about), recordsInfo: Object.fromEntries(topicPartitions) },
      ...(isWithPayload && { payload: about.payload.toString() }),
    }),
  );
}

/** What a Kafka topic gets, one for each record. https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html */
export function topicRecord(about: About): Buffer {
  const [event] = about.events;
  return Buffer.from(
    JSON.stringify({
      ...common(about, "RetriesExhausted"),
      KafkaBatchInfo: {
        ...batchInfo(about),
        recordInfo: { offset: String(event?.offset), timestamp: isoOf(event) },
      },
      payload: JSON.parse(about.payload.toString()),
    }),
  );
}

function common(about: About, exhausted = "RetryAttemptsExhausted") {
  const { condition, outcome, functionArn, invokeCount, atMs, noRequestId } = about;
  return {
    requestContext: {
      requestId: outcome?.requestId ?? noRequestId,
      functionArn,
      condition: condition === "RetryAttemptsExhausted" ? exhausted : condition,
      approximateInvokeCount: invokeCount,
    },
    responseContext:
      outcome?.kind === "ok" || outcome?.kind === "function-error"
        ? {
            statusCode: outcome.statusCode,
            executedVersion: outcome.executedVersion,
            functionError: outcome.kind === "ok" ? null : "Unhandled",
          }
        : null,
    version: "1.0",
    timestamp: new Date(atMs).toISOString(),
  };
}

function batchInfo({ events, envelope, payload }: About) {
  return {
    batchSize: events.length,
    ...(envelope.clusterArn !== undefined && { eventSourceArn: envelope.clusterArn }),
    bootstrapServers: envelope.bootstrapServers.join(","),
    payloadSize: payload.length,
  };
}

function isoOf(event: KafkaEvent | undefined): string {
  return new Date(event?.timestampMs ?? 0).toISOString();
}
