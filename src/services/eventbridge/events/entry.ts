/** Entries of PutEvents: how large they are, and what is wrong with one. */
import type { Input } from "../../../aws/service.ts";
import type { Client } from "../deps.ts";
import { DETAIL_TYPE_CHARS_MAX, ENTRY_TIME_BYTES, SOURCE_CHARS_MAX } from "../limits.ts";
import { readDetail } from "./event.ts";

type Entry = NonNullable<Input<Client, "PutEvents">["Entries"]>[number];

/** Of an entry that is not taken, while others of its request are. */
export interface EntryFailure {
  readonly ErrorCode: string;
  readonly ErrorMessage: string;
}

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevents-size */
export function entryBytes({ Time, Source, DetailType, Detail, Resources = [] }: Entry): number {
  const texts = [Source, DetailType, Detail, ...Resources].map((text) => Buffer.byteLength(text ?? ""));
  return texts.reduce((sum, bytes) => sum + bytes, Time === undefined ? 0 : ENTRY_TIME_BYTES);
}

/** The detail as `parseJson` reads it; or what is wrong. */
export function checkEntry(entry: Entry): { readonly detail: unknown } | EntryFailure {
  const { Source, DetailType, Detail } = entry;
  for (const [name, value] of Object.entries({ Source, DetailType, Detail }))
    if (!value) return invalid(name, `${name} is a required argument.`);
  const tooLong =
    (Source ?? "").length > SOURCE_CHARS_MAX
      ? "Source"
      : (DetailType ?? "").length > DETAIL_TYPE_CHARS_MAX
        ? "DetailType"
        : undefined;
  if (tooLong) return invalid(tooLong, `${tooLong} is too long.`);
  // AWS's own sources are its services'.
  if (/^aws\./i.test(Source ?? ""))
    return {
      ErrorCode: "NotAuthorizedForSourceException",
      ErrorMessage: "Not authorized for the source.",
    };
  const detail = readDetail(Detail ?? "");
  return detail ? { detail } : { ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed." };
}

function invalid(name: string, reason: string): EntryFailure {
  return { ErrorCode: "InvalidArgument", ErrorMessage: `Parameter ${name} is not valid. Reason: ${reason}` };
}
