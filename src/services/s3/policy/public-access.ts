/** The public access block of a bucket, and what makes a policy public. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html */
import type { PolicyDocument, PolicyStatement } from "../../../aws/resource-policies.ts";
import type { BucketRow } from "../rows.ts";

export interface PublicAccess {
  readonly BlockPublicAcls: boolean;
  readonly IgnorePublicAcls: boolean;
  readonly BlockPublicPolicy: boolean;
  readonly RestrictPublicBuckets: boolean;
}

/** What every new bucket begins with. */
const EVERYTHING_BLOCKED: PublicAccess = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
};

export const NOTHING_BLOCKED: PublicAccess = {
  BlockPublicAcls: false,
  IgnorePublicAcls: false,
  BlockPublicPolicy: false,
  RestrictPublicBuckets: false,
};

/** As stored for a bucket whose configuration was deleted. */
export const DELETED = "";

/** The configuration as it can be read; undefined where it was deleted. */
export function storedPublicAccess(bucket: Pick<BucketRow, "public_access">): PublicAccess | undefined {
  if (bucket.public_access === null) return EVERYTHING_BLOCKED;
  return bucket.public_access === DELETED ? undefined : (JSON.parse(bucket.public_access) as PublicAccess);
}

/** What is blocked. */
export function publicAccessOf(bucket: Pick<BucketRow, "public_access">): PublicAccess {
  return storedPublicAccess(bucket) ?? NOTHING_BLOCKED;
}

/** Whether a policy lets in callers whom it does not fix. */
export function isPublic(policy: PolicyDocument): boolean {
  return policy.statements.some(
    (one) => one.effect === "Allow" && namesEveryone(one) && !isNarrowed(one.conditions),
  );
}

function namesEveryone({ principals }: PolicyStatement): boolean {
  return principals === "*" || principals?.AWS?.includes("*") === true;
}

/** Keys whose fixed values say who or where a caller is. */
const NARROWING = new Set([
  "aws:principalaccount",
  "aws:principalarn",
  "aws:principalorgid",
  "aws:principalorgpaths",
  "aws:sourceaccount",
  "aws:sourcearn",
  "aws:sourceip",
  "aws:sourceowner",
  "aws:sourcevpc",
  "aws:sourcevpce",
  "aws:userid",
  "aws:username",
  "aws:vpcsourceip",
  "s3:dataaccesspointaccount",
  "s3:dataaccesspointarn",
  "s3:x-amz-server-side-encryption-aws-kms-key-id",
]);

/** Operators that let through only what they name; with IfExists, what names nothing goes through. */
const NARROWING_OPERATOR =
  /^(ForAnyValue:)?(StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike|IpAddress)$/;

/** Networks of fewer bits than these are no narrower than the internet. */
const IPV4_BITS_MIN = 8;
const IPV6_BITS_MIN = 32;

function isNarrowed(conditions: PolicyStatement["conditions"]): boolean {
  return conditions.some(
    ({ operator, key, values }) =>
      NARROWING_OPERATOR.test(operator) &&
      NARROWING.has(key.toLowerCase()) &&
      values.every((value) => (operator.endsWith("IpAddress") ? isNarrow(value) : isFixed(key, value))),
  );
}

function isNarrow(network: string): boolean {
  const [address = "", bits] = network.split("/", 2);
  if (bits === undefined) return true;
  return Number(bits) >= (address.includes(":") ? IPV6_BITS_MIN : IPV4_BITS_MIN);
}

/** A value that stands for one caller or account: no variable, and a wildcard only after what already says whose it is. */
function isFixed(key: string, value: string): boolean {
  if (value.includes("${")) return false;
  const wildcard = value.search(/[*?]/);
  if (wildcard < 0) return true;
  const before = value.slice(0, wildcard);
  const name = key.toLowerCase();
  if (name === "aws:userid") return /^A[A-Z0-9]{10,}:$/.test(before);
  if (name.endsWith("arn"))
    return /^arn:[^:]+:[^:]+:[^:]*:\d{12}:/.test(before) || /^arn:[^:]+:s3:::./.test(before);
  return false;
}
