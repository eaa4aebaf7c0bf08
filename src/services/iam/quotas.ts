/** IAM's quotas. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
import { limitExceeded } from "./errors.ts";

export const QUOTAS = {
  RolesPerAccount: 1_000,
  UsersPerAccount: 5_000,
  PoliciesPerAccount: 1_500,
  PoliciesPerRole: 10,
  PoliciesPerUser: 10,
  AccessKeysPerUser: 2,
  /** Characters of a managed policy, white space not counted. */
  PolicySize: 6_144,
  /** Characters of a trust policy. */
  ACLSizePerRole: 2_048,
} as const;

/** Characters of all inline policies together, white space not counted. */
export const INLINE_CHARACTERS_MAX = { role: 10_240, user: 2_048 } as const;
export const POLICY_VERSIONS_MAX = 5;
export const TAGS_MAX = 50;

/** @throws AwsError LimitExceeded where `count` is beyond the quota. */
export function checkQuota(name: keyof typeof QUOTAS, count: number): void {
  if (count > QUOTAS[name]) throw limitExceeded(`Cannot exceed quota for ${name}: ${QUOTAS[name]}`);
}

/** The characters of a document that count. */
export function documentSize(document: string): number {
  return document.replaceAll(/\s/g, "").length;
}
