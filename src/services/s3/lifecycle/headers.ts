/** What answers tell of an object's or upload's end. */
import type { BucketRow } from "../rows.ts";
import { parseTags } from "../tags.ts";
import { abortionOf, enabledRules, expiryOf } from "./rules.ts";

/** The x-amz-expiration of a current version; nothing where none of the rules means it. */
export function expirationOutput(
  bucket: Pick<BucketRow, "lifecycle">,
  object: {
    readonly key: string;
    readonly size: number;
    readonly tags: string | null;
    readonly modifiedAt: number;
  },
): { Expiration?: string } {
  if (bucket.lifecycle === null) return {};
  const subject = { key: object.key, size: object.size, tags: parseTags(object.tags) };
  const due = expiryOf(enabledRules(bucket.lifecycle), subject, object.modifiedAt);
  if (!due) return {};
  const date = new Date(due.at).toUTCString();
  return { Expiration: `expiry-date="${date}", rule-id="${encodeURIComponent(due.id)}"` };
}

/** When an unfinished upload is given up, and by which rule. */
export function abortOutput(
  bucket: Pick<BucketRow, "lifecycle">,
  key: string,
  initiatedAt: number,
): { AbortDate?: Date; AbortRuleId?: string } {
  const due = abortionOf(enabledRules(bucket.lifecycle), key, initiatedAt);
  return due ? { AbortDate: new Date(due.at), AbortRuleId: encodeURIComponent(due.id) } : {};
}
