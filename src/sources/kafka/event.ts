/** Events of Kafka, as functions get them. https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html */
import type { KafkaRecord } from "./library.ts";

/** A record on its way to the function. */
export interface KafkaEvent {
  readonly partition: number;
  readonly offset: bigint;
  /** Epoch milliseconds. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  /** What the function gets for it. */
  readonly json: string;
  /** Length of `json` in UTF-8. */
  readonly bytes: number;
}

/** What surrounds the records of an invocation. */
export interface Envelope {
  /** Undefined for a self-managed cluster. */
  readonly clusterArn: string | undefined;
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
}

/** A record as a batch holds it, with what the batch says for all of its records. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly timestampType: "CREATE_TIME" | "LOG_APPEND_TIME";
  readonly record: KafkaRecord;
}

/** The record as the function gets it; a key or value that is null is left out. */
export function recordOf(topic: string, read: ReadRecord): Record<string, unknown> {
  const { key, value, headers } = read.record;
  return {
    topic,
    partition: read.partition,
    offset: Number(read.offset),
    timestamp: read.timestampMs,
    timestampType: read.timestampType,
    ...(key && { key: key.toString("base64") }),
    ...(value && { value: value.toString("base64") }),
    headers: headers.map(([name, bytes]) => ({ [name?.toString() ?? ""]: [...signed(bytes)] })),
  };
}

export function eventOf(read: ReadRecord, record: Record<string, unknown>): KafkaEvent {
  const json = JSON.stringify(record);
  const { partition, offset, timestampMs } = read;
  return { partition, offset, timestampMs, key: read.record.key, json, bytes: Buffer.byteLength(json) };
}

/** Bytes of a payload beside its records' own: the envelope, and per record and partition what joins them. */
export function envelopeBytes(envelope: Envelope, partitions: number): number {
  const perPartition = envelope.topic.length * 3 + 24;
  return Buffer.byteLength(head(envelope)) + 4 + partitions * perPartition;
}

/** The invocation's payload. Records of one partition stand together, in the order in which they are given. */
export function payloadOf(envelope: Envelope, events: readonly KafkaEvent[]): Buffer {
  const parts = [...byPartition(events)].map(
    ([partition, own]) =>
      `${JSON.stringify(`${envelope.topic}-${partition}`)}:[${own.map(({ json }) => json).join(",")}]`,
  );
  return Buffer.from(`${head(envelope)}${parts.join(",")}}}`);
}

export function byPartition(events: readonly KafkaEvent[]): Map<number, KafkaEvent[]> {
  return Map.groupBy(events, ({ partition }) => partition);
}

/** What the producer wrote, as text for filters; undefined for bytes that are no text. */
export function textOf(bytes: Buffer | null): string | undefined {
  if (bytes === null) return undefined;
  try {
    return strictText.decode(bytes);
  } catch {
    return undefined;
  }
}

const strictText = new TextDecoder("utf-8", { fatal: true });

function head({ clusterArn, bootstrapServers }: Envelope): string {
  const source = {
    eventSource: clusterArn === undefined ? "SelfManagedKafka" : "aws:kafka",
    ...(clusterArn !== undefined && { eventSourceArn: clusterArn }),
    bootstrapServers: bootstrapServers.join(","),
  };
  return `${JSON.stringify(source).slice(0, -1)},"records":{`;
}

/** Headers are lists of Java's bytes: -128 to 127. */
function signed(bytes: Buffer | null): Int8Array {
  return bytes === null ? new Int8Array() : new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
