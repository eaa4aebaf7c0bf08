/** The ARNs of streams and consumers. */
import type { ConsumerRow } from "./store-consumers.ts";
import type { StreamPlace } from "./store.ts";

/** What a consumer's ARN names. */
export interface ConsumerName {
  readonly stream: StreamPlace;
  readonly name: string;
  /** Epoch seconds. */
  readonly createdSeconds: number;
}

const STREAM_ARN = /^arn:aws:kinesis:([^:]+):(\d{12}):stream\/([a-zA-Z0-9_.-]+)$/;
const CONSUMER_ARN =
  /^arn:aws:kinesis:([^:]+):(\d{12}):stream\/([a-zA-Z0-9_.-]+)\/consumer\/([a-zA-Z0-9_.-]+):(\d+)$/;

export function streamArn({ account, region, name }: StreamPlace): string {
  return `arn:aws:kinesis:${region}:${account}:stream/${name}`;
}

/** Undefined for what is no stream's ARN. */
export function readStreamArn(arn: string): StreamPlace | undefined {
  const [, region, account, name] = STREAM_ARN.exec(arn) ?? [];
  if (region === undefined || account === undefined || name === undefined) return undefined;
  return { account, region, name };
}

export function consumerArn(
  stream: StreamPlace,
  { name, created_at }: Pick<ConsumerRow, "name" | "created_at">,
): string {
  return `${streamArn(stream)}/consumer/${name}:${Math.floor(created_at / 1_000)}`;
}

/** Undefined for what is no consumer's ARN. */
export function readConsumerArn(arn: string): ConsumerName | undefined {
  const [, region, account, streamName, name, seconds] = CONSUMER_ARN.exec(arn) ?? [];
  if (region === undefined || account === undefined || streamName === undefined || name === undefined)
    return undefined;
  return { stream: { account, region, name: streamName }, name, createdSeconds: Number(seconds) };
}
