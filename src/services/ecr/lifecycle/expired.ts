/** Says which images a lifecycle policy expires. @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html */
import { tagMatches } from "../mutability.ts";
import type { LifecycleRule } from "./policy.ts";

export interface Candidate {
  readonly digest: string;
  readonly tags: readonly string[];
  /** Epoch milliseconds. */
  readonly pushedAt: number;
  /** An image that a list names does not expire before the list. */
  readonly isInList: boolean;
}

export interface Expiry {
  readonly image: Candidate;
  /** The priority of the rule that says so. */
  readonly priority: number;
}

const DAY_MS = 24 * 3_600_000;

/**
 * Each rule sees all images; what an earlier one selects by its tags, expired or not, no later one expires.
 * @param rules In the order in which they are applied.
 */
export function expiredImages(
  rules: readonly LifecycleRule[],
  images: readonly Candidate[],
  now: number,
): Expiry[] {
  const oldestLast = [...images].sort((a, b) => b.pushedAt - a.pushedAt || (a.digest < b.digest ? -1 : 1));
  const taken = new Set<Candidate>();
  const expiries: Expiry[] = [];
  for (const rule of rules) {
    const selected = oldestLast.filter((image) => selects(rule, image));
    const due =
      rule.countType === "imageCountMoreThan"
        ? selected.slice(rule.countNumber)
        : selected.filter((image) => image.pushedAt <= now - rule.countNumber * DAY_MS);
    for (const image of due)
      if (!taken.has(image) && !image.isInList) expiries.push({ image, priority: rule.priority });
    for (const image of selected) taken.add(image);
  }
  return expiries;
}

function selects({ tagStatus, tagPatterns }: LifecycleRule, { tags }: Candidate): boolean {
  if (tagStatus === "any") return true;
  if (tagStatus === "untagged") return tags.length === 0;
  return tags.length > 0 && tagPatterns.every((pattern) => tags.some((tag) => tagMatches(pattern, tag)));
}
