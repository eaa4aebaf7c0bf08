/** Settings that buckets here do not have: what AWS says of a bucket without them, and that they may be taken away. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, RequestContext } from "../../../aws/service.ts";
import { bucketFor } from "../access.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import type { S3ErrorCode } from "../errors.ts";
import type { Client, Empty } from "./client.ts";

interface Named {
  readonly Bucket?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

const answering =
  <T>(output: T) =>
  async (s3: S3, input: Named, context: RequestContext): Promise<T> => {
    await bucketFor(s3.database, input, context);
    return output;
  };

const missing =
  (code: S3ErrorCode) =>
  async (s3: S3, input: Named, context: RequestContext): Promise<never> => {
    const { name } = await bucketFor(s3.database, input, context);
    throw s3Error(code, { BucketName: name });
  };

const nothing: Empty = {};

/** The operations that read such settings, or take them away. */
export const absentSettings = {
  DeleteBucketAnalyticsConfiguration: missing("NoSuchConfiguration"),
  DeleteBucketIntelligentTieringConfiguration: missing("NoSuchConfiguration"),
  DeleteBucketInventoryConfiguration: missing("NoSuchConfiguration"),
  DeleteBucketMetricsConfiguration: missing("NoSuchConfiguration"),
  DeleteBucketReplication: answering(nothing),
  GetBucketAccelerateConfiguration: answering(nothing),
  GetBucketAnalyticsConfiguration: missing("NoSuchConfiguration"),
  GetBucketIntelligentTieringConfiguration: missing("NoSuchConfiguration"),
  GetBucketInventoryConfiguration: missing("NoSuchConfiguration"),
  GetBucketLogging: answering(nothing),
  GetBucketMetricsConfiguration: missing("NoSuchConfiguration"),
  GetBucketReplication: missing("ReplicationConfigurationNotFoundError"),
  GetBucketRequestPayment: answering({ Payer: "BucketOwner" } as const),
  ListBucketAnalyticsConfigurations: answering({ IsTruncated: false }),
  ListBucketIntelligentTieringConfigurations: answering({ IsTruncated: false }),
  ListBucketInventoryConfigurations: answering({ IsTruncated: false }),
  ListBucketMetricsConfigurations: answering({ IsTruncated: false }),
};

export async function putBucketLogging(
  s3: S3,
  input: Input<Client, "PutBucketLogging">,
  context: RequestContext,
): Promise<Empty> {
  if (input.BucketLoggingStatus?.LoggingEnabled)
    throw notImplemented("server access logging of buckets (LoggingEnabled)");
  await bucketFor(s3.database, input, context);
  return {};
}

export async function putBucketRequestPayment(
  s3: S3,
  input: Input<Client, "PutBucketRequestPayment">,
  context: RequestContext,
): Promise<Empty> {
  const payer = input.RequestPaymentConfiguration?.Payer;
  if (payer === "Requester") throw notImplemented("buckets whose requesters pay (Payer Requester)");
  if (payer !== "BucketOwner") throw s3Error("MalformedXML");
  await bucketFor(s3.database, input, context);
  return {};
}
