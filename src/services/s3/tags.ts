/** Tag sets of objects and buckets: their form in headers and bodies, and S3's limits. */
import { invalidArgument, s3Error } from "./errors.ts";
import {
  BUCKET_TAGS_MAX,
  OBJECT_TAGS_MAX,
  TAG_KEY_CHARACTERS_MAX,
  TAG_VALUE_CHARACTERS_MAX,
} from "./limits.ts";

/** Key and value. */
export type TagPair = readonly [key: string, value: string];

const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** The tags of a body. @throws InvalidTag, or BadRequest when they are too many. */
export function readTagSet(
  tagSet: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined,
  kind: "object" | "bucket",
): TagPair[] {
  const pairs = (tagSet ?? []).map(({ Key = "", Value = "" }): TagPair => [Key, Value]);
  checkTags(pairs, kind);
  return pairs;
}

/** The tags of an `x-amz-tagging` header, encoded like a query string. */
export function readTagHeader(header: string | undefined): TagPair[] {
  if (header === undefined || header === "") return [];
  const pairs = [...new URLSearchParams(header)];
  if (new Set(pairs.map(([key]) => key)).size !== pairs.length || header.includes("�"))
    throw invalidArgument(
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      "x-amz-tagging",
      header,
    );
  checkTags(pairs, "object");
  return pairs;
}

/** As stored; null for none. */
export function storedTags(pairs: readonly TagPair[]): string | null {
  return pairs.length === 0 ? null : JSON.stringify(pairs);
}

export function parseTags(stored: string | null): TagPair[] {
  return stored === null ? [] : (JSON.parse(stored) as TagPair[]);
}

/** The `TagSet` of an answer. */
export function tagSetOutput(stored: string | null): { Key: string; Value: string }[] {
  return parseTags(stored).map(([Key, Value]) => ({ Key, Value }));
}

function checkTags(pairs: readonly TagPair[], kind: "object" | "bucket"): void {
  const most = kind === "object" ? OBJECT_TAGS_MAX : BUCKET_TAGS_MAX;
  if (pairs.length > most)
    throw s3Error(
      "BadRequest",
      {},
      kind === "object"
        ? `Object tags cannot be greater than ${most}`
        : `Bucket tag count cannot be greater than ${most}`,
    );
  const seen = new Set<string>();
  for (const [key, value] of pairs) {
    if (key === "" || key.length > TAG_KEY_CHARACTERS_MAX || !ALLOWED.test(key))
      throw s3Error("InvalidTag", { TagKey: key }, "The TagKey you have provided is invalid");
    if (value.length > TAG_VALUE_CHARACTERS_MAX || !ALLOWED.test(value))
      throw s3Error(
        "InvalidTag",
        { TagKey: key, TagValue: value },
        "The TagValue you have provided is invalid",
      );
    if (key.toLowerCase().startsWith("aws:"))
      throw s3Error("InvalidTag", { TagKey: key }, "System tags cannot be added/updated by requester");
    if (seen.has(key))
      throw s3Error("InvalidTag", { TagKey: key }, "Cannot provide multiple Tags with the same key");
    seen.add(key);
  }
}
