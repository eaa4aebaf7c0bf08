/** When the rules of a lifecycle let something expire. Pure; times are epoch milliseconds. */
import type { TagPair } from "../tags.ts";
import type { GivenRule } from "./configuration.ts";

/** As stored: a rule as it was given, through JSON. */
type StoredRule = Omit<GivenRule, "Expiration"> & {
  readonly Expiration?: Omit<NonNullable<GivenRule["Expiration"]>, "Date"> & { readonly Date?: string };
};

/** An enabled rule. */
export interface Rule {
  readonly id: string;
  readonly prefix: string;
  readonly tags: readonly TagPair[];
  readonly sizeAbove: number | undefined;
  readonly sizeBelow: number | undefined;
  /** Of current versions, and of delete markers that nothing is left behind. */
  readonly expireDays: number | undefined;
  readonly expireAt: number | undefined;
  readonly expireMarkers: boolean;
  readonly noncurrentDays: number | undefined;
  /** The newest noncurrent versions, which stay. */
  readonly noncurrentKept: number;
  readonly abortDays: number | undefined;
}

export interface Subject {
  readonly key: string;
  readonly size: number;
  /** Undefined where they are not known: then they count as if they fitted. */
  readonly tags: readonly TagPair[] | undefined;
}

/** When something is due, and by which rule. */
export interface Due {
  readonly at: number;
  readonly id: string;
}

const DAY_MS = 86_400_000;

/** The enabled rules of a stored configuration. */
export function enabledRules(stored: string | null): Rule[] {
  if (stored === null) return [];
  const { Rules } = JSON.parse(stored) as { Rules: StoredRule[] };
  return Rules.filter((rule) => rule.Status === "Enabled").map((rule) => {
    const { And: and, ...single } = rule.Filter ?? {};
    const tags = and?.Tags ?? (single.Tag ? [single.Tag] : []);
    const sizes = and ?? single;
    return {
      id: rule.ID ?? "",
      prefix: rule.Prefix ?? and?.Prefix ?? single.Prefix ?? "",
      tags: tags.map(({ Key = "", Value = "" }): TagPair => [Key, Value]),
      sizeAbove: sizes.ObjectSizeGreaterThan,
      sizeBelow: sizes.ObjectSizeLessThan,
      expireDays: rule.Expiration?.Days,
      expireAt: rule.Expiration?.Date === undefined ? undefined : Date.parse(rule.Expiration.Date),
      expireMarkers: rule.Expiration?.ExpiredObjectDeleteMarker === true,
      noncurrentDays: rule.NoncurrentVersionExpiration?.NoncurrentDays,
      noncurrentKept: rule.NoncurrentVersionExpiration?.NewerNoncurrentVersions ?? 0,
      abortDays: rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation,
    };
  });
}

/** When a current version expires; undefined for never. */
export function expiryOf(rules: readonly Rule[], subject: Subject, modifiedAt: number): Due | undefined {
  return first(
    rules.map((rule) => ({
      id: rule.id,
      at: applies(rule, subject) ? expiryBy(rule, modifiedAt) : undefined,
    })),
  );
}

/** When a delete marker goes that nothing is left behind. */
export function markerExpiryOf(rules: readonly Rule[], key: string, modifiedAt: number): Due | undefined {
  return first(
    rules.map((rule) => ({
      id: rule.id,
      at: !appliesToMarkers(rule, key)
        ? undefined
        : rule.expireMarkers
          ? modifiedAt
          : expiryBy(rule, modifiedAt),
    })),
  );
}

/**
 * When a noncurrent version goes.
 * @param noncurrent Since when it is, and how many noncurrent versions are newer.
 */
export function noncurrentExpiryOf(
  rules: readonly Rule[],
  subject: Subject & { readonly isMarker: boolean },
  noncurrent: { readonly since: number; readonly newer: number },
): Due | undefined {
  return first(
    rules.map((rule) => {
      const fits = subject.isMarker ? appliesToMarkers(rule, subject.key) : applies(rule, subject);
      const isDue = fits && rule.noncurrentDays !== undefined && noncurrent.newer >= rule.noncurrentKept;
      return { id: rule.id, at: isDue ? daysAfter(noncurrent.since, rule.noncurrentDays ?? 0) : undefined };
    }),
  );
}

/** When an unfinished upload is given up. */
export function abortionOf(rules: readonly Rule[], key: string, initiatedAt: number): Due | undefined {
  return first(
    rules.map(({ id, prefix, abortDays }) => ({
      id,
      at: abortDays !== undefined && key.startsWith(prefix) ? daysAfter(initiatedAt, abortDays) : undefined,
    })),
  );
}

function first(dues: readonly { readonly id: string; readonly at: number | undefined }[]): Due | undefined {
  let found: Due | undefined;
  for (const { id, at } of dues) if (at !== undefined && (!found || at < found.at)) found = { id, at };
  return found;
}

function expiryBy({ expireDays, expireAt }: Rule, modifiedAt: number): number | undefined {
  return expireDays === undefined ? expireAt : daysAfter(modifiedAt, expireDays);
}

/** The midnight (UTC) that follows, once the days have passed. */
function daysAfter(time: number, days: number): number {
  return Math.ceil((time + days * DAY_MS) / DAY_MS) * DAY_MS;
}

function applies(rule: Rule, { key, size, tags }: Subject): boolean {
  return (
    key.startsWith(rule.prefix) &&
    (rule.sizeAbove === undefined || size > rule.sizeAbove) &&
    (rule.sizeBelow === undefined || size < rule.sizeBelow) &&
    (tags === undefined ||
      rule.tags.every(([name, value]) => tags.some((one) => one[0] === name && one[1] === value)))
  );
}

/** Delete markers have neither tags nor a size. */
function appliesToMarkers(rule: Rule, key: string): boolean {
  const isPlain = rule.tags.length === 0 && rule.sizeAbove === undefined && rule.sizeBelow === undefined;
  return isPlain && key.startsWith(rule.prefix);
}
