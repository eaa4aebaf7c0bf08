/** PutBucketVersioning and GetBucketVersioning. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor } from "../access.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import { setVersioning } from "../store-buckets.ts";
import type { Client, Empty } from "./client.ts";

export async function putBucketVersioning(
  s3: S3,
  input: Input<Client, "PutBucketVersioning">,
  context: RequestContext,
): Promise<Empty> {
  const { Status: status, MFADelete: mfaDelete } = input.VersioningConfiguration ?? {};
  if (mfaDelete === "Enabled") throw notImplemented("MFA delete (MfaDelete Enabled)");
  if (status === undefined) throw s3Error("IllegalVersioningConfigurationException");
  if (status !== "Enabled" && status !== "Suspended") throw s3Error("MalformedXML");
  await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    if (status === "Suspended" && bucket.object_lock !== null)
      throw s3Error(
        "InvalidBucketState",
        {},
        "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
      );
    await setVersioning(tx, bucket.name, status);
  });
  return {};
}

export async function getBucketVersioning(
  s3: S3,
  input: Input<Client, "GetBucketVersioning">,
  context: RequestContext,
): Promise<Output<Client, "GetBucketVersioning">> {
  const { versioning } = await bucketFor(s3.database, input, context);
  return versioning === "" ? {} : { Status: versioning };
}
