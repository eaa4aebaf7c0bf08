/** The tags of a table: their limits. */
import type { Tag } from "@aws-sdk/client-dynamodb";
import { invalid, invalidParameters } from "../errors.ts";
import type { TagRow } from "../store.ts";

export const TAGS_MAX = 50;

/** Checks tags to be set. */
export function checkTags(tags: readonly Tag[] | undefined): TagRow[] {
  const read = (tags ?? []).map(({ Key, Value }) => ({ key: Key as string, value: Value as string }));
  if (new Set(read.map(({ key }) => key)).size < read.length)
    throw invalid("One or more parameter values were invalid: Duplicate Tag keys are not allowed");
  if (read.some(({ key }) => key.toLowerCase().startsWith("aws:")))
    throw invalidParameters("Tag keys starting with aws: are reserved for system use");
  checkTagCount(read.length);
  return read;
}

/** Refuses more tags than a table can have. */
export function checkTagCount(tags: number): void {
  if (tags > TAGS_MAX) throw invalidParameters(`Too many tags: a table can have up to ${TAGS_MAX} tags`);
}
