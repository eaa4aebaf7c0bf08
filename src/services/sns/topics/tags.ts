/** A topic's tags. */
import { AwsError } from "../../../aws/errors.ts";
import { invalid } from "../errors.ts";
import { TAGS_MAX } from "../limits.ts";

export type Tags = Readonly<Record<string, string>>;

type TagList = readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[];

/** @throws AwsError InvalidParameter for a key that comes twice or is reserved */
export function readTags(list: TagList | undefined): Tags {
  const tags: Record<string, string> = {};
  for (const { Key = "", Value = "" } of list ?? []) {
    if (Object.hasOwn(tags, Key)) throw invalid("Duplicated keys are not allowed.");
    if (/^aws:/i.test(Key)) throw invalid("Tag keys cannot begin with aws:, which is reserved.");
    tags[Key] = Value;
  }
  return requireFew(tags);
}

/** @throws AwsError TagLimitExceeded */
export function requireFew(tags: Tags): Tags {
  if (Object.keys(tags).length > TAGS_MAX)
    throw new AwsError(
      "TagLimitExceededException",
      `Could not complete request: tag quota of per resource exceeded (${TAGS_MAX})`,
    );
  return tags;
}

/** As they are told. */
export function tagList(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
