/** How streams, shards and places in them are named. */
import type { Ids } from "../../../kit/id.ts";
import type { StreamName } from "../store-streams.ts";

const ARN_FORM = /^arn:[^:]+:dynamodb:([^:]+):(\d{12}):table\/([a-zA-Z0-9_.-]+)\/stream\/([0-9T:.-]+)$/;
const MS_DIGITS = 20;
const NUMBER_DIGITS = 16;
/** Makes the shortest number that the API allows, 21 digits, of the 16 that count. */
const NUMBER_PREFIX = "10000";
const NUMBER_FORM = /^10000(\d{16})$/;

/** `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL`. */
export function streamArn({ region, account, table, label }: StreamName): string {
  return `arn:aws:dynamodb:${region}:${account}:table/${table}/stream/${label}`;
}

/** The stream that an ARN names; undefined where it names none. */
export function readStreamArn(arn: string): StreamName | undefined {
  const [, region, account, table, label] = ARN_FORM.exec(arn) ?? [];
  if (region === undefined || account === undefined || table === undefined || label === undefined)
    return undefined;
  return { region, account, table, label };
}

/** A stream's label: the time at which it was asked for. @param at Epoch milliseconds. */
export function streamLabel(at: number): string {
  return new Date(at).toISOString().slice(0, -1);
}

/** @param at Epoch milliseconds. */
export function newShardId(ids: Ids, at: number): string {
  return `shardId-${String(at).padStart(MS_DIGITS, "0")}-${ids.hex(8)}`;
}

/** A sequence number as the API shows it: all of one length, so that they order as texts and as numbers. */
export function sequenceText(sequence: number): string {
  return NUMBER_PREFIX + String(sequence).padStart(NUMBER_DIGITS, "0");
}

/** The number within a sequence number; undefined for a text that is none of ours. */
export function readSequence(text: string): number | undefined {
  const digits = NUMBER_FORM.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
