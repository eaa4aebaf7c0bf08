/** Shard iterators: texts that hold all there is to know, so that they are good after a restart and on any server. */
import { invalidArgument } from "../errors.ts";
import { ITERATOR_MS } from "../limits.ts";
import type { StreamPlace } from "../store.ts";
import { AwsError } from "../../../aws/errors.ts";

export interface ShardIterator {
  readonly stream: StreamPlace;
  /** Tells a stream from a later one of the same name. */
  readonly streamId: number;
  readonly shardNo: number;
  /** The place after which reading begins. */
  readonly after: number;
}

/** The form, in case there will be another. */
const VERSION = 1;

/** @param now Epoch milliseconds; an iterator is good for five minutes. */
export function writeIterator({ stream, streamId, shardNo, after }: ShardIterator, now: number): string {
  const { account, region, name } = stream;
  return Buffer.from(
    JSON.stringify([VERSION, now, account, region, name, streamId, shardNo, after]),
  ).toString("base64");
}

/** @throws AwsError InvalidArgumentException; ExpiredIteratorException */
export function readIterator(text: string, now: number): ShardIterator {
  const parts = decode(text);
  if (!parts) throw invalidArgument("Invalid ShardIterator.");
  const [madeAt, iterator] = parts;
  if (now - madeAt > ITERATOR_MS)
    throw new AwsError(
      "ExpiredIteratorException",
      `Iterator expired. The iterator was created at time ${dateText(madeAt)} while right now it is ${dateText(now)} which is ` +
        `further in the future than the tolerated delay of ${ITERATOR_MS} milliseconds.`,
    );
  return iterator;
}

/** The stream that an iterator is for; undefined for a text that is none. */
export function streamOfIterator(text: string): StreamPlace | undefined {
  return decode(text)?.[1].stream;
}

const KINDS = ["number", "number", "string", "string", "string", "number", "number", "number"];

function decode(text: string): [madeAt: number, ShardIterator] | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64").toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts) || parts.length !== KINDS.length) return undefined;
  if (!parts.every((part, at) => typeof part === KINDS[at]) || parts[0] !== VERSION) return undefined;
  const [, madeAt, account, region, name, streamId, shardNo, after] = parts as [
    number,
    number,
    string,
    string,
    string,
    number,
    number,
    number,
  ];
  return [madeAt, { stream: { account, region, name }, streamId, shardNo, after }];
}

/** `Thu Jan 22 01:22:02 UTC 2015`, as Java writes dates. */
function dateText(at: number): string {
  const [, day, date, month, year, time] =
    /^(\w+), (\d+) (\w+) (\d+) (\S+)/.exec(new Date(at).toUTCString()) ?? [];
  return `${day} ${month} ${date} ${time} UTC ${year}`;
}
