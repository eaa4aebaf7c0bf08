/** The condition keys of a request that gives or takes tags: `aws:RequestTag/…` and `aws:TagKeys`. */
import type { ConditionValues } from "./service.ts";

type Tag = { readonly Key?: string | undefined; readonly Value?: string | undefined };

/** Of tags given as a map, or as a list of `Key` and `Value`. */
export function tagConditions(
  tags: Readonly<Record<string, string>> | readonly Tag[] | undefined,
): ConditionValues {
  const pairs = Array.isArray(tags)
    ? tags.map(({ Key = "", Value = "" }: Tag): [string, string] => [Key, Value])
    : Object.entries((tags ?? {}) as Readonly<Record<string, string>>);
  return {
    ...Object.fromEntries(pairs.map(([key, value]) => [`aws:requesttag/${key}`, value])),
    ...tagKeyConditions(pairs.map(([key]) => key)),
  };
}

/** Of tags that are named only. */
export function tagKeyConditions(keys: readonly string[] | undefined): ConditionValues {
  return keys === undefined || keys.length === 0 ? {} : { "aws:tagkeys": keys };
}
