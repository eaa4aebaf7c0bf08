/** PutBucketEncryption, GetBucketEncryption and DeleteBucketEncryption: whether new objects are encrypted that do not ask for it. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor } from "../access.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import { setEncryption } from "../store-buckets.ts";
import type { Client, Empty } from "./client.ts";

export async function putBucketEncryption(
  s3: S3,
  input: Input<Client, "PutBucketEncryption">,
  context: RequestContext,
): Promise<Empty> {
  const rules = input.ServerSideEncryptionConfiguration?.Rules ?? [];
  const [rule] = rules;
  if (rules.length !== 1 || !rule) throw s3Error("MalformedXML");
  const { SSEAlgorithm: algorithm, KMSMasterKeyID: keyId } = rule.ApplyServerSideEncryptionByDefault ?? {};
  if (algorithm === undefined) throw s3Error("MalformedXML");
  if (algorithm !== "AES256") throw notImplemented(`server-side encryption by ${algorithm} (SSEAlgorithm)`);
  if (keyId !== undefined)
    throw s3Error(
      "InvalidArgument",
      {},
      "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
    );
  if (rule.BlockedEncryptionTypes)
    throw notImplemented("methods of encryption that a bucket blocks (BlockedEncryptionTypes)");
  // The bucket key is KMS's: without, it changes nothing, and AWS takes and tells it all the same.
  return change(s3, input, JSON.stringify({ bucketKey: rule.BucketKeyEnabled === true }), context);
}

export async function getBucketEncryption(
  s3: S3,
  input: Input<Client, "GetBucketEncryption">,
  context: RequestContext,
): Promise<Output<Client, "GetBucketEncryption">> {
  const { name, encryption } = await bucketFor(s3.database, input, context);
  // AWS encrypts by default, and says so; here a bucket does only when told, as AWS's did before 2023.
  if (encryption === null)
    throw s3Error("ServerSideEncryptionConfigurationNotFoundError", { BucketName: name });
  const { bucketKey: BucketKeyEnabled } = JSON.parse(encryption) as { bucketKey: boolean };
  const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: "AES256" } as const;
  return {
    ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault, BucketKeyEnabled }] },
  };
}

export function deleteBucketEncryption(
  s3: S3,
  input: Input<Client, "DeleteBucketEncryption">,
  context: RequestContext,
): Promise<Empty> {
  return change(s3, input, null, context);
}

async function change(
  s3: S3,
  input: Input<Client, "DeleteBucketEncryption">,
  encryption: string | null,
  context: RequestContext,
): Promise<Empty> {
  await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    await setEncryption(tx, bucket.name, encryption);
  });
  return {};
}
