/** Lifecycle configurations: which S3 takes, in its words. What would move objects to other storage classes is refused by name. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input } from "../../../aws/service.ts";
import { invalidArgument, invalidRequest, s3Error } from "../errors.ts";
import {
  KEY_BYTES_MAX,
  LIFECYCLE_ID_CHARACTERS_MAX,
  LIFECYCLE_RULES_MAX,
  NEWER_VERSIONS_MAX,
} from "../limits.ts";
import type { Client } from "../operations/client.ts";
import { readTagSet } from "../tags.ts";

type Configuration = NonNullable<Input<Client, "PutBucketLifecycleConfiguration">["LifecycleConfiguration"]>;
/** A rule as it was given, and as it is answered. */
export type GivenRule = NonNullable<Configuration["Rules"]>[number];

const DAY_MS = 86_400_000;

/** Checks the rules; those without an ID get one. @throws MalformedXML, InvalidArgument, InvalidRequest, NotImplemented */
export function readRules(rules: Configuration["Rules"], newId: () => string): GivenRule[] {
  if (!rules || rules.length === 0 || rules.length > LIFECYCLE_RULES_MAX) throw s3Error("MalformedXML");
  const ids = new Set<string>();
  return rules.map((rule) => {
    const ID = rule.ID || newId();
    if (ID.length > LIFECYCLE_ID_CHARACTERS_MAX)
      throw invalidArgument(
        `ID length should not exceed allowed limit of ${LIFECYCLE_ID_CHARACTERS_MAX}`,
        "ID",
        ID,
      );
    if (ids.has(ID))
      throw invalidArgument("Rule ID must be unique. Found same ID for more than one rule", "ID", ID);
    ids.add(ID);
    if (rule.Status !== "Enabled" && rule.Status !== "Disabled") throw s3Error("MalformedXML");
    checkFilter(rule);
    checkActions(rule);
    return { ...rule, ID };
  });
}

function checkFilter({ Filter: filter, Prefix: prefix }: GivenRule): void {
  // Either the filter or the prefix of old, and of a filter one kind alone, or several in And.
  if ((filter === undefined) === (prefix === undefined)) throw s3Error("MalformedXML");
  const { And: and, ...single } = filter ?? {};
  const given = Object.values(single).filter((value) => value !== undefined).length;
  if (given > 1 || (and && given > 0)) throw s3Error("MalformedXML");
  const { ObjectSizeGreaterThan: more, ObjectSizeLessThan: less } = and ?? single;
  for (const bytes of [more, less])
    if (bytes !== undefined && (!Number.isSafeInteger(bytes) || bytes < 0)) throw s3Error("MalformedXML");
  if (more !== undefined && less !== undefined && less <= more)
    throw invalidRequest("ObjectSizeLessThan must be greater than ObjectSizeGreaterThan");
  const text = prefix ?? and?.Prefix ?? filter?.Prefix ?? "";
  if (Buffer.byteLength(text) > KEY_BYTES_MAX)
    throw invalidRequest(`The maximum size of a prefix is ${KEY_BYTES_MAX}.`);
  const tags = and?.Tags ?? (filter?.Tag ? [filter.Tag] : []);
  if (new Set(tags.map(({ Key }) => Key)).size !== tags.length)
    throw invalidRequest("Duplicate Tag Keys are not allowed.");
  readTagSet(tags, "object");
}

function checkActions(rule: GivenRule): void {
  if (rule.Transitions?.length)
    throw notImplemented("lifecycle transitions to other storage classes (Transitions)");
  if (rule.NoncurrentVersionTransitions?.length)
    throw notImplemented("lifecycle transitions to other storage classes (NoncurrentVersionTransitions)");
  const { Expiration, NoncurrentVersionExpiration, AbortIncompleteMultipartUpload } = rule;
  if (!Expiration && !NoncurrentVersionExpiration && !AbortIncompleteMultipartUpload)
    throw invalidRequest("At least one action needs to be specified in a rule");
  const hasTags = (rule.Filter?.And?.Tags?.length ?? 0) > 0 || rule.Filter?.Tag !== undefined;
  const { ObjectSizeGreaterThan: more, ObjectSizeLessThan: less } = rule.Filter?.And ?? rule.Filter ?? {};
  const hasSize = more !== undefined || less !== undefined;
  if (Expiration) checkExpiration(Expiration, hasTags);
  if (NoncurrentVersionExpiration) {
    const { NoncurrentDays, NewerNoncurrentVersions: keep } = NoncurrentVersionExpiration;
    requirePositive(NoncurrentDays, "NoncurrentDays", "NoncurrentVersionExpiration");
    if (keep !== undefined && (!Number.isInteger(keep) || keep < 1 || keep > NEWER_VERSIONS_MAX))
      throw invalidArgument(
        `'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be between 1 and ${NEWER_VERSIONS_MAX}`,
        "NewerNoncurrentVersions",
        keep,
      );
  }
  if (AbortIncompleteMultipartUpload) {
    if (hasTags) throw invalidRequest("AbortIncompleteMultipartUpload cannot be specified with Tags.");
    if (hasSize) throw invalidRequest("AbortIncompleteMultipartUpload cannot be specified with Object Size.");
    const { DaysAfterInitiation: days } = AbortIncompleteMultipartUpload;
    requirePositive(days, "DaysAfterInitiation", "AbortIncompleteMultipartUpload");
  }
}

function checkExpiration(expiration: NonNullable<GivenRule["Expiration"]>, hasTags: boolean): void {
  const { Date: date, Days: days, ExpiredObjectDeleteMarker: markers } = expiration;
  if ([date, days, markers].filter((one) => one !== undefined).length !== 1) throw s3Error("MalformedXML");
  if (markers !== undefined && hasTags)
    throw invalidRequest("ExpiredObjectDeleteMarker cannot be specified with Tags.");
  if (date !== undefined && date.getTime() % DAY_MS !== 0)
    throw invalidArgument("'Date' must be at midnight GMT", "Date", date.toISOString());
  if (days !== undefined) requirePositive(days, "Days", "Expiration");
}

function requirePositive(days: number | undefined, name: string, action: string): void {
  if (days === undefined) throw s3Error("MalformedXML");
  if (!Number.isInteger(days) || days < 1)
    throw invalidArgument(`'${name}' for ${action} action must be a positive integer`, name, days);
}
