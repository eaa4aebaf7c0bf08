/** A schedule group's tags. */
import { invalid } from "./errors.ts";
import { TAGS_MAX } from "./limits.ts";

export type Tags = Readonly<Record<string, string>>;

/** Tags as they are kept, with others added. @throws AwsError ValidationException */
export function tagsText(
  before: Tags,
  added: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[],
): string {
  const keys = added.map(({ Key = "" }) => Key);
  if (new Set(keys).size < keys.length) throw invalid("A tag's key can be given only once.");
  if (keys.some((key) => /^aws:/i.test(key)))
    throw invalid("Tag keys cannot begin with aws:, which is reserved.");
  const tags = { ...before, ...Object.fromEntries(added.map(({ Key = "", Value = "" }) => [Key, Value])) };
  if (Object.keys(tags).length > TAGS_MAX)
    throw invalid(`A schedule group can have at most ${TAGS_MAX} tags.`);
  return JSON.stringify(tags);
}
