/** The tags of buses and rules. */
import { limitExceeded, validation } from "./errors.ts";
import { TAGS_MAX } from "./limits.ts";

export type Tags = Readonly<Record<string, string>>;

type Listed = readonly { readonly Key: string | undefined; readonly Value: string | undefined }[];

/** The tags with more. @throws AwsError ValidationException, LimitExceededException */
export function withTags(tags: Tags, more: Listed = []): Tags {
  const given = Object.fromEntries(more.map(({ Key = "", Value = "" }) => [Key, Value]));
  if (Object.keys(given).length < more.length)
    throw validation("The request has two tags with the same key.");
  for (const key of Object.keys(given))
    if (/^aws:/i.test(key)) throw validation(`The tag ${key} begins with aws:, which AWS keeps for itself.`);
  const all = { ...tags, ...given };
  if (Object.keys(all).length > TAGS_MAX)
    throw limitExceeded(`A resource cannot have more than ${TAGS_MAX} tags.`);
  return all;
}

export function withoutTags(tags: Tags, keys: readonly string[] = []): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key)));
}

/** In the order of their keys. */
export function listTags(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }));
}

export function readTags(json: string): Tags {
  return JSON.parse(json) as Tags;
}
