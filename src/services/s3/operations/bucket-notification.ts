/** PutBucketNotificationConfiguration and GetBucketNotificationConfiguration, to Lambda functions. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor } from "../access.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import { readConfigurations } from "../notification/configuration.ts";
import type { FunctionNotification } from "../notification/configuration.ts";
import { bucketArn } from "../notification/event.ts";
import type { BucketRow } from "../rows.ts";
import { setNotification } from "../store-buckets.ts";
import type { Client, Empty } from "./client.ts";

type Out = Output<Client, "GetBucketNotificationConfiguration">;
type Configuration = NonNullable<Out["LambdaFunctionConfigurations"]>[number];
type Rules = NonNullable<NonNullable<NonNullable<Configuration["Filter"]>["Key"]>["FilterRules"]>;

export async function putBucketNotificationConfiguration(
  s3: S3,
  input: Input<Client, "PutBucketNotificationConfiguration">,
  context: RequestContext,
): Promise<Empty> {
  const configuration = input.NotificationConfiguration ?? {};
  if (configuration.QueueConfigurations?.length)
    throw notImplemented("bucket notifications to SQS queues (QueueConfigurations)");
  if (configuration.TopicConfigurations?.length)
    throw notImplemented("bucket notifications to SNS topics (TopicConfigurations)");
  if (configuration.EventBridgeConfiguration !== undefined)
    throw notImplemented("bucket notifications to EventBridge (EventBridgeConfiguration)");
  const bucket = await bucketFor(s3.database, input, context);
  const read = readConfigurations(configuration.LambdaFunctionConfigurations ?? [], bucket.region, () =>
    s3.ids.uuid(),
  );
  if (input.SkipDestinationValidation !== true) await checkDestinations(s3, bucket, read);
  const stored = read.length === 0 ? null : JSON.stringify(read);
  await s3.database.tx(async (tx) => {
    const { name } = await bucketFor(tx, input, context);
    await setNotification(tx, name, stored);
  });
  return {};
}

export async function getBucketNotificationConfiguration(
  s3: S3,
  input: Input<Client, "GetBucketNotificationConfiguration">,
  context: RequestContext,
): Promise<Out> {
  const { notification } = await bucketFor(s3.database, input, context);
  if (notification === null) return {};
  const stored = JSON.parse(notification) as FunctionNotification[];
  return {
    LambdaFunctionConfigurations: stored.map((one) => ({
      Id: one.id,
      LambdaFunctionArn: one.functionArn,
      Events: [...one.events] as Configuration["Events"],
      ...(one.ruleNames ? { Filter: { Key: { FilterRules: rules(one) } } } : {}),
    })),
  };
}

/** @throws InvalidArgument that tells every destination which cannot be used, and why. */
async function checkDestinations(
  s3: S3,
  bucket: BucketRow,
  configurations: readonly FunctionNotification[],
): Promise<void> {
  const members: Record<string, string> = {};
  let failed = 0;
  for (const arn of new Set(configurations.map(({ functionArn }) => functionArn))) {
    const verdict = await s3.functions.check(arn, bucketArn(bucket.name), bucket.account);
    if (verdict === "ok") continue;
    failed++;
    members[`ArgumentName${failed}`] = `${arn}, null`;
    members[`ArgumentValue${failed}`] =
      verdict === "missing"
        ? "The destination Lambda function does not exist"
        : `Not authorized to invoke function [${arn}]`;
  }
  if (failed > 0)
    throw s3Error("InvalidArgument", members, "Unable to validate the following destination configurations");
}

function rules({ ruleNames = [], prefix = "", suffix = "" }: FunctionNotification): Rules {
  return ruleNames.map((name) => {
    const isPrefix = name.toLowerCase() === "prefix";
    // S3 tells the names with a capital, however they were given.
    return { Name: (isPrefix ? "Prefix" : "Suffix") as "prefix", Value: isPrefix ? prefix : suffix };
  });
}
