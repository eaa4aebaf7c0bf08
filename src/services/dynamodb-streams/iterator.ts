/** Shard iterators: the stream's ARN, for policies to compare, and a place in one of its shards. */
import { AwsError } from "../../aws/errors.ts";
import { invalid } from "./errors.ts";

/** How long an iterator can be used, in milliseconds. */
const ITERATOR_MS = 15 * 60 * 1000;
const VERSION = "1";

export interface ShardIterator {
  readonly arn: string;
  readonly shardId: string;
  /** A sequence number. */
  readonly after: string;
  /** Epoch milliseconds. */
  readonly issuedAt: number;
}

export function writeIterator({ arn, shardId, after, issuedAt }: ShardIterator): string {
  const place = Buffer.from(JSON.stringify([shardId, after, issuedAt])).toString("base64");
  return [arn, VERSION, place].join("|");
}

/** @throws AwsError ValidationException for a text that is no iterator */
export function readIterator(text: string): ShardIterator {
  const [arn = "", version, place = ""] = text.split("|");
  const fault = invalid("Invalid ShardIterator");
  if (version !== VERSION || !arn.startsWith("arn:")) throw fault;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(place, "base64").toString());
  } catch {
    throw fault;
  }
  const [shardId, after, issuedAt] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
  if (typeof shardId !== "string" || typeof after !== "string" || typeof issuedAt !== "number") throw fault;
  return { arn, shardId, after, issuedAt };
}

/** @throws AwsError ExpiredIteratorException */
export function refuseExpired({ issuedAt }: ShardIterator, now: number): void {
  if (now - issuedAt <= ITERATOR_MS) return;
  throw new AwsError(
    "ExpiredIteratorException",
    `Iterator expired. The iterator was created at time ${new Date(issuedAt).toISOString()}, more than 15 minutes ago.`,
  );
}
