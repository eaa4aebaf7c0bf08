/** The rules for a function's tags. */
import { invalidParameter } from "./errors.ts";
import { TAGS_MAX } from "./limits.ts";

/** The tags after adding some. @throws InvalidParameterValueException for more than 50 and for names that AWS keeps. */
export function withTags(
  current: Record<string, string>,
  added: Record<string, string>,
): Record<string, string> {
  const reserved = Object.keys(added).find((key) => key.toLowerCase().startsWith("aws:"));
  if (reserved !== undefined)
    throw invalidParameter(`Tag keys starting with 'aws:' are reserved for system use: ${reserved}`);
  const tags = { ...current, ...added };
  if (Object.keys(tags).length > TAGS_MAX)
    throw invalidParameter("Number of tags exceeds resource tag limit.");
  return tags;
}
