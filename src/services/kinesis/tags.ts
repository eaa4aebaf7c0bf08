/** The tags of streams and consumers. */
import { invalidArgument } from "./errors.ts";
import { TAGS_MAX } from "./limits.ts";

export type Tags = Readonly<Record<string, string>>;

/** Unicode letters, digits, white space, and a few signs. */
const CHARACTERS = /^[\p{L}\p{N}\p{Z}_.:/=+\-@%]*$/u;

export function readTags(json: string): Tags {
  return JSON.parse(json) as Tags;
}

/** The tags with more. @throws AwsError InvalidArgumentException */
export function withTags(tags: Tags, more: Tags | undefined = {}): Tags {
  for (const [key, value] of Object.entries(more)) {
    if (!CHARACTERS.test(key) || !CHARACTERS.test(value))
      throw invalidArgument(
        "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / = + - % @.",
      );
    if (/^aws:/i.test(key))
      throw invalidArgument(`The tag ${key} begins with aws:, which AWS keeps for itself.`);
  }
  const all = { ...tags, ...more };
  if (Object.keys(all).length > TAGS_MAX)
    throw invalidArgument(`A stream or consumer cannot have more than ${TAGS_MAX} tags associated with it.`);
  return all;
}

export function withoutTags(tags: Tags, keys: readonly string[] = []): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key)));
}

/** In the order of their keys. */
export function listTags(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }));
}
