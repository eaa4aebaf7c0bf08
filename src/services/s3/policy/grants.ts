/** Whose buckets a request is about, and what the buckets' policies grant its caller. */
import type { Principal, RequestContext, Requirement, ResourceGrant } from "../../../aws/service.ts";
import type { S3 } from "../deps.ts";
import { bucketGate } from "../store-buckets.ts";
import type { BucketGate } from "../store-buckets.ts";
import { publicAccessOf } from "./public-access.ts";

type Deps = Pick<S3, "database" | "policies">;

/** What the owner's root may do whatever a policy says, or nobody could ever undo one that denies everyone everything. */
const ROOT_MAY: ReadonlySet<string> = new Set([
  "s3:DeleteBucketPolicy",
  "s3:GetBucketPolicy",
  "s3:PutBucketPolicy",
]);

/**
 * The requirements with the owners of their buckets; without those of the owner's root where no policy could deny it anything, and
 * without those of anonymous callers on what is not there: that it is not, everyone is told.
 */
export async function withOwners(
  { database }: Deps,
  requirements: readonly Requirement[],
  { principal }: RequestContext,
): Promise<readonly Requirement[]> {
  const owned: Requirement[] = [];
  const gates = new Map<string, BucketGate | undefined>();
  for (const one of requirements) {
    const name = bucketOf(one.resource);
    // A name that is to be taken is nobody's yet.
    if (name === undefined || one.action === "s3:CreateBucket") {
      owned.push(one);
      continue;
    }
    if (!gates.has(name)) gates.set(name, await bucketGate(database, name));
    const gate = gates.get(name);
    if (gate && !mayEverything(gate, principal)) owned.push(ownedBy(one, gate.account));
    else if (!gate && principal.type !== "anonymous") owned.push(one);
  }
  return owned;
}

/** Whether nothing can keep a caller from anything in a bucket. */
export function mayEverything(gate: BucketGate, { type, account }: Principal): boolean {
  return type === "root" && account === gate.account && gate.policy === null;
}

/** A requirement on what is in a bucket of that account. */
export function ownedBy(requirement: Requirement, owner: string): Requirement {
  return { ...requirement, owner, conditions: { ...requirement.conditions, "s3:resourceaccount": owner } };
}

/** What the policy of the bucket that a requirement is about grants the caller. */
export async function grantOf(
  { database, policies }: Deps,
  { action, resource, conditions = {} }: Requirement,
  { principal }: RequestContext,
): Promise<ResourceGrant> {
  const name = bucketOf(resource);
  const gate = name === undefined ? undefined : await bucketGate(database, name);
  if (!gate || gate.policy === null) return "none";
  const isOwn = principal.type !== "anonymous" && principal.account === gate.account;
  if (isOwn && principal.type === "root" && ROOT_MAY.has(action)) return "none";
  const said = await policies.decide(gate.policy, { principal, action, resource, conditions });
  if (said === "denied" || isOwn) return said;
  const isRestricted = gate.policy_is_public === 1 && publicAccessOf(gate).RestrictPublicBuckets;
  return isRestricted ? "none" : said;
}

function bucketOf(resource: string): string | undefined {
  return /^arn:aws:s3:::([^/]+)/.exec(resource)?.[1];
}
