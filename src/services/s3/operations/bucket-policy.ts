/** PutBucketPolicy, GetBucketPolicy, DeleteBucketPolicy and GetBucketPolicyStatus. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import { bucketFor } from "../access.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import { bucketArn } from "../notification/event.ts";
import { readPolicy, requirePrincipals } from "../policy/document.ts";
import { isPublic, publicAccessOf } from "../policy/public-access.ts";
import type { BucketRow } from "../rows.ts";
import { setPolicy } from "../store-buckets.ts";
import type { Client, Empty } from "./client.ts";

type Named = Input<Client, "GetBucketPolicy">;

export async function putBucketPolicy(
  s3: S3,
  input: Input<Client, "PutBucketPolicy">,
  context: RequestContext,
): Promise<Empty> {
  const text = input.Policy ?? "";
  const isOpen = isPublic(readPolicy(text, input.Bucket ?? "", s3.policies));
  await requirePrincipals(text, context.account, s3.policies);
  await s3.database.tx(async (tx) => {
    const bucket = await ownBucket(tx, input, context);
    if (isOpen && publicAccessOf(bucket).BlockPublicPolicy)
      throw s3Error(
        "AccessDenied",
        {},
        `User: ${context.principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "${bucketArn(bucket.name)}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`,
      );
    await setPolicy(tx, bucket.name, text, isOpen);
  });
  return {};
}

export async function getBucketPolicy(
  s3: S3,
  input: Named,
  context: RequestContext,
): Promise<Output<Client, "GetBucketPolicy">> {
  return { Policy: policyOf(await ownBucket(s3.database, input, context)) };
}

export async function deleteBucketPolicy(s3: S3, input: Named, context: RequestContext): Promise<Empty> {
  await s3.database.tx(async (tx) => {
    const bucket = await ownBucket(tx, input, context);
    await setPolicy(tx, bucket.name, null, false);
  });
  return {};
}

export async function getBucketPolicyStatus(
  s3: S3,
  input: Input<Client, "GetBucketPolicyStatus">,
  context: RequestContext,
): Promise<Output<Client, "GetBucketPolicyStatus">> {
  const bucket = await bucketFor(s3.database, input, context);
  policyOf(bucket);
  const isOpen = bucket.policy_is_public === 1 && !publicAccessOf(bucket).RestrictPublicBuckets;
  return { PolicyStatus: { IsPublic: isOpen } };
}

/** @throws MethodNotAllowed: policies are the owner's alone, whoever may do what with them */
async function ownBucket(reader: Reader, input: Named, context: RequestContext): Promise<BucketRow> {
  const bucket = await bucketFor(reader, input, context);
  if (bucket.account !== context.account || context.principal.type === "anonymous")
    throw s3Error("MethodNotAllowed", { ResourceType: "BUCKETPOLICY" });
  return bucket;
}

function policyOf({ name, policy }: BucketRow): string {
  if (policy === null) throw s3Error("NoSuchBucketPolicy", { BucketName: name });
  return policy;
}
