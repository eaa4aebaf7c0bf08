/** Records as the function gets them. Golden examples: the test data of aws-lambda-go. */
import type { DynamoDbRecord, KinesisRecord, StreamRecord } from "./ports.ts";

/** One kind of stream's records. */
export interface EventShape<R extends StreamRecord> {
  /** What keeps records in order: those of one key are in one lane. */
  key(record: R): string;
  /** The record in the event, as JSON. */
  json(record: R, place: EventPlace): string;
  /** The record as filters see it. */
  filtered(record: R, place: EventPlace): { record: Readonly<Record<string, unknown>>; data?: string };
  /** The member of a discarded batch's record that tells which it was. */
  readonly batchInfo: "KinesisBatchInfo" | "DDBStreamBatchInfo";
}

/** Where a record comes from, and for whom. */
export interface EventPlace {
  readonly shardId: string;
  readonly eventSourceArn: string;
  readonly region: string;
  readonly roleArn: string;
}

export const KINESIS_EVENTS: EventShape<KinesisRecord> = {
  batchInfo: "KinesisBatchInfo",
  key: ({ partitionKey }) => partitionKey,
  json(record, { shardId, eventSourceArn, region, roleArn }) {
    return (
      `{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":${JSON.stringify(record.partitionKey)}` +
      `,"sequenceNumber":"${record.sequenceNumber}","data":"${record.data.toString("base64")}"` +
      `,"approximateArrivalTimestamp":${record.arrivalMs / 1_000}},"eventSource":"aws:kinesis","eventVersion":"1.0"` +
      `,"eventID":"${shardId}:${record.sequenceNumber}","eventName":"aws:kinesis:record"` +
      `,"invokeIdentityArn":${JSON.stringify(roleArn)},"awsRegion":"${region}"` +
      `,"eventSourceARN":${JSON.stringify(eventSourceArn)}}`
    );
  },
  filtered(record, { shardId, eventSourceArn, region, roleArn }) {
    const text = textOf(record.data);
    const metadata = {
      kinesisSchemaVersion: "1.0",
      partitionKey: record.partitionKey,
      sequenceNumber: record.sequenceNumber,
      approximateArrivalTimestamp: record.arrivalMs / 1_000,
      eventSource: "aws:kinesis",
      eventVersion: "1.0",
      eventID: `${shardId}:${record.sequenceNumber}`,
      eventName: "aws:kinesis:record",
      invokeIdentityArn: roleArn,
      awsRegion: region,
      eventSourceARN: eventSourceArn,
    };
    return { record: metadata, ...(text !== undefined && { data: text }) };
  },
};

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Undefined for bytes that are no text. */
function textOf(bytes: Buffer): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

export const DYNAMODB_EVENTS: EventShape<DynamoDbRecord> = {
  batchInfo: "DDBStreamBatchInfo",
  key: ({ key }) => key,
  json: ({ json }, { eventSourceArn }) =>
    `${json.slice(0, -1)},"eventSourceARN":${JSON.stringify(eventSourceArn)}}`,
  filtered: ({ json }, { eventSourceArn }) => ({
    record: { ...(JSON.parse(json) as Record<string, unknown>), eventSourceARN: eventSourceArn },
  }),
};
