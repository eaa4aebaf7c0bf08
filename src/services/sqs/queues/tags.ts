/** A queue's tags. */
import { AwsError } from "../../../aws/errors.ts";
import { invalidParameter } from "../errors.ts";
import { TAGS_MAX, TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX } from "../limits.ts";

const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** @throws AwsError InvalidParameterValue; OverLimit for too many */
export function checkTags(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(tags);
  if (entries.length > TAGS_MAX)
    throw new AwsError("OverLimit", `Too many tags: a queue may have up to ${TAGS_MAX}.`);
  for (const [key, value] of entries) {
    if (key === "" || key.length > TAG_KEY_CHARS_MAX)
      throw invalidParameter(`Tag keys must be between 1 and ${TAG_KEY_CHARS_MAX} characters in length.`);
    if (value.length > TAG_VALUE_CHARS_MAX)
      throw invalidParameter(`Tag values may not exceed ${TAG_VALUE_CHARS_MAX} characters in length.`);
    if (!CHARACTERS.test(key) || !CHARACTERS.test(value))
      throw invalidParameter(
        `The tag ${key} has invalid characters: letters, numbers, spaces and _ . : / = + - @ are allowed.`,
      );
    if (/^aws:/i.test(key)) throw invalidParameter("Tag keys cannot begin with aws:, which is reserved.");
  }
  return tags;
}
