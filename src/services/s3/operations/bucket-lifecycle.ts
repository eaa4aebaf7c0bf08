/** PutBucketLifecycleConfiguration, GetBucketLifecycleConfiguration and DeleteBucketLifecycle. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor } from "../access.ts";
import type { S3 } from "../deps.ts";
import { invalidArgument, s3Error } from "../errors.ts";
import { readRules } from "../lifecycle/configuration.ts";
import { setLifecycle } from "../store-buckets.ts";
import type { Client, Empty } from "./client.ts";

type Out = Output<Client, "GetBucketLifecycleConfiguration">;
type Minimum = NonNullable<Out["TransitionDefaultMinimumObjectSize"]>;

/** Which objects are too small to be moved: told, since nothing is. */
const MINIMA: readonly Minimum[] = ["all_storage_classes_128K", "varies_by_storage_class"];

export async function putBucketLifecycleConfiguration(
  s3: S3,
  input: Input<Client, "PutBucketLifecycleConfiguration">,
  context: RequestContext,
): Promise<Output<Client, "PutBucketLifecycleConfiguration">> {
  const asked = input.TransitionDefaultMinimumObjectSize;
  const minimum = asked === undefined ? MINIMA[0] : MINIMA.find((one) => one === asked);
  if (minimum === undefined)
    throw invalidArgument(
      "Invalid TransitionDefaultMinimumObjectSize found",
      "x-amz-transition-default-minimum-object-size",
      asked ?? "",
    );
  const Rules = readRules(input.LifecycleConfiguration?.Rules, () => s3.ids.uuid());
  await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    await setLifecycle(tx, bucket.name, JSON.stringify({ Rules, minimum }));
    tx.afterCommit(() => s3.lifecycles.soon());
  });
  return { TransitionDefaultMinimumObjectSize: minimum };
}

export async function getBucketLifecycleConfiguration(
  s3: S3,
  input: Input<Client, "GetBucketLifecycleConfiguration">,
  context: RequestContext,
): Promise<Out> {
  const { name, lifecycle } = await bucketFor(s3.database, input, context);
  if (lifecycle === null) throw s3Error("NoSuchLifecycleConfiguration", { BucketName: name });
  const { Rules, minimum } = JSON.parse(lifecycle, (key, value: unknown) =>
    key === "Date" ? new Date(String(value)) : value,
  ) as { Rules: NonNullable<Out["Rules"]>; minimum: Minimum };
  return { Rules, TransitionDefaultMinimumObjectSize: minimum };
}

export async function deleteBucketLifecycle(
  s3: S3,
  input: Input<Client, "DeleteBucketLifecycle">,
  context: RequestContext,
): Promise<Empty> {
  await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    await setLifecycle(tx, bucket.name, null);
  });
  return {};
}
