/** PutBucketNotificationConfiguration and GetBucketNotificationConfiguration, to Lambda functions, SQS queues, SNS topics and EventBridge. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import { bucketFor } from "../access.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import { readConfigurations, readNotification, writeNotification } from "../notification/configuration.ts";
import type { NotificationRule } from "../notification/configuration.ts";
import { SUBJECT, hostIdOf, senderOf } from "../notification/send.ts";
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
  const { LambdaFunctionConfigurations: functions = [], QueueConfigurations: queues = [] } = configuration;
  const { TopicConfigurations: topics = [] } = configuration;
  const bucket = await bucketFor(s3.database, input, context);
  const rules = readConfigurations({ functions, queues, topics }, bucket.region, () => s3.ids.uuid());
  const isChecked = input.SkipDestinationValidation !== true;
  if (isChecked) await checkDestinations(s3, bucket, rules);
  const eventBridge = configuration.EventBridgeConfiguration !== undefined;
  const stored = writeNotification({ rules, eventBridge });
  await s3.database.tx(async (tx) => {
    const { name } = await bucketFor(tx, input, context);
    await setNotification(tx, name, stored);
    if (isChecked) await probe(s3, tx, bucket, rules, context.requestId);
  });
  return {};
}

export async function getBucketNotificationConfiguration(
  s3: S3,
  input: Input<Client, "GetBucketNotificationConfiguration">,
  context: RequestContext,
): Promise<Out> {
  const { notification } = await bucketFor(s3.database, input, context);
  const { rules: stored, eventBridge } = readNotification(notification);
  const functions = stored.flatMap((rule) =>
    "functionArn" in rule ? [{ ...described(rule), LambdaFunctionArn: rule.functionArn }] : [],
  );
  const queues = stored.flatMap((rule) =>
    "queueArn" in rule ? [{ ...described(rule), QueueArn: rule.queueArn }] : [],
  );
  const topics = stored.flatMap((rule) =>
    "topicArn" in rule ? [{ ...described(rule), TopicArn: rule.topicArn }] : [],
  );
  return {
    ...(topics.length > 0 && { TopicConfigurations: topics }),
    ...(functions.length > 0 && { LambdaFunctionConfigurations: functions }),
    ...(queues.length > 0 && { QueueConfigurations: queues }),
    ...(eventBridge && { EventBridgeConfiguration: {} }),
  };
}

/** @throws InvalidArgument that tells every destination which cannot be used, and why. */
async function checkDestinations(
  s3: S3,
  bucket: BucketRow,
  rules: readonly NotificationRule[],
): Promise<void> {
  const members: Record<string, string> = {};
  let failed = 0;
  const fail = (arn: string, why: string) => {
    failed++;
    members[`ArgumentName${failed}`] = `${arn}, null`;
    members[`ArgumentValue${failed}`] = why;
  };
  const arns = rules.flatMap((rule) => ("functionArn" in rule ? [rule.functionArn] : []));
  for (const arn of new Set(arns)) {
    const verdict = await s3.functions.check(arn, senderOf(bucket));
    if (verdict === "missing") fail(arn, "The destination Lambda function does not exist");
    if (verdict === "denied") fail(arn, `Not authorized to invoke function [${arn}]`);
  }
  for (const arn of queuesOf(rules)) {
    const verdict = await s3.queues.check(arn, senderOf(bucket));
    if (verdict === "missing") fail(arn, "The destination queue does not exist");
    if (verdict === "denied")
      fail(
        arn,
        "Permissions on the destination queue do not allow S3 to publish notifications from this bucket",
      );
  }
  for (const arn of topicsOf(rules)) {
    const verdict = await s3.topics.check(arn, senderOf(bucket));
    if (verdict === "missing") fail(arn, "The destination topic does not exist");
    if (verdict === "denied")
      fail(
        arn,
        "Permissions on the destination topic do not allow S3 to publish notifications from this bucket",
      );
  }
  if (failed > 0)
    throw s3Error("InvalidArgument", members, "Unable to validate the following destination configurations");
}

/** Sends each queue and topic the message with which S3 tries whether it can. */
async function probe(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  rules: readonly NotificationRule[],
  requestId: string,
): Promise<void> {
  const body = JSON.stringify({
    Service: "Amazon S3",
    Event: "s3:TestEvent",
    Time: new Date(s3.clock.now()).toISOString(),
    Bucket: bucket.name,
    RequestId: requestId,
    HostId: hostIdOf(requestId),
  });
  for (const queueArn of queuesOf(rules))
    await s3.queues.send(tx, { queueArn, body, sender: senderOf(bucket) });
  for (const topicArn of topicsOf(rules))
    await s3.topics.publish(tx, { topicArn, message: body, subject: SUBJECT });
}

function topicsOf(rules: readonly NotificationRule[]): Set<string> {
  return new Set(rules.flatMap((rule) => ("topicArn" in rule ? [rule.topicArn] : [])));
}

function queuesOf(rules: readonly NotificationRule[]): Set<string> {
  return new Set(rules.flatMap((rule) => ("queueArn" in rule ? [rule.queueArn] : [])));
}

function described(rule: NotificationRule) {
  return {
    Id: rule.id,
    Events: [...rule.events] as Configuration["Events"],
    ...(rule.ruleNames ? { Filter: { Key: { FilterRules: filterRules(rule) } } } : {}),
  };
}

function filterRules({ ruleNames = [], prefix = "", suffix = "" }: NotificationRule): Rules {
  return ruleNames.map((name) => {
    const isPrefix = name.toLowerCase() === "prefix";
    // S3 tells the names with a capital, however they were given.
    return { Name: (isPrefix ? "Prefix" : "Suffix") as "prefix", Value: isPrefix ? prefix : suffix };
  });
}
