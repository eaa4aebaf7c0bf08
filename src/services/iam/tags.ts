/** Tags of roles, users and policies. */
import { invalidInput, limitExceeded } from "./errors.ts";
import { TAGS_MAX } from "./quotas.ts";

/** IAM's own shape. */
interface Tag {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

type Tags = Readonly<Record<string, string>>;

/** Adds or replaces tags (keys differ by more than case). Answers JSON for the row. @throws AwsError */
export function withTags(existing: string, added: readonly Tag[] = []): string {
  const keys = added.map((tag) => (tag.Key ?? "").toLowerCase());
  if (new Set(keys).size !== keys.length)
    throw invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  const tags = new Map(Object.entries(JSON.parse(existing) as Tags));
  for (const { Key = "", Value = "" } of added) {
    if (/^aws:/i.test(Key)) throw invalidInput("System tags cannot be added/updated/deleted by requester.");
    const old = [...tags.keys()].find((key) => key.toLowerCase() === Key.toLowerCase());
    if (old !== undefined) tags.delete(old);
    tags.set(Key, Value);
  }
  if (tags.size > TAGS_MAX) throw limitExceeded("The number of tags has reached the maximum limit.");
  return JSON.stringify(Object.fromEntries(tags));
}

/** Removes tags; keys that are not there are ignored, as by AWS. */
export function withoutTags(existing: string, keys: readonly string[] = []): string {
  const gone = new Set(keys.map((key) => key.toLowerCase()));
  const kept = Object.entries(JSON.parse(existing) as Tags).filter(([key]) => !gone.has(key.toLowerCase()));
  return JSON.stringify(Object.fromEntries(kept));
}

export function toTags(row: string): { Key: string; Value: string }[] {
  return Object.entries(JSON.parse(row) as Tags).map(([Key, Value]) => ({ Key, Value }));
}
