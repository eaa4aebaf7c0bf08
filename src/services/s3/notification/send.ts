/** Hands an object's change to the functions and queues that its bucket notifies, in the transaction that makes the change. */
import type { RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import { canonicalUserId } from "../access.ts";
import type { S3 } from "../deps.ts";
import type { NotificationSender } from "../ports.ts";
import type { BucketRow } from "../rows.ts";
import { matching } from "./configuration.ts";
import type { NotificationRule } from "./configuration.ts";
import { bucketArn, eventFor } from "./event.ts";
import type { ObjectChange } from "./event.ts";

/** Who changes an object: a request, or Lambda for a function; or a service by itself. */
export type Changer =
  | (Pick<RequestContext, "requestId" | "sourceIp" | "headers"> & {
      readonly principal: { readonly userId: string };
    })
  | { readonly requestId: string; readonly servicePrincipal: string };

/** @throws Error (never an AwsError) when a hand-over fails: the change must then not be committed either. */
export async function notify(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  change: ObjectChange,
  changer: Changer,
): Promise<void> {
  if (bucket.notification === null) return;
  const configurations = JSON.parse(bucket.notification) as NotificationRule[];
  const receivers = matching(configurations, change.name, change.key);
  if (receivers.length === 0) return;
  const source = {
    bucket,
    owner: canonicalUserId(bucket.account),
    time: s3.clock.now(),
    ...whoIs(changer),
    requestId: changer.requestId,
    hostId: hostIdOf(changer.requestId),
  };
  const traceHeader = "servicePrincipal" in changer ? undefined : changer.headers["x-amzn-trace-id"];
  for (const rule of receivers) {
    const event = {
      payload: eventFor(change, source, rule.id),
      ...(typeof traceHeader === "string" && { traceHeader }),
    };
    try {
      await handOver(s3, tx, bucket, rule, event);
    } catch (cause) {
      const receiver = "queueArn" in rule ? rule.queueArn : rule.functionArn;
      throw new Error(`The event of ${change.name} could not be handed to ${receiver}`, { cause });
    }
  }
}

async function handOver(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  rule: NotificationRule,
  { payload, ...trace }: { readonly payload: Buffer; readonly traceHeader?: string },
): Promise<void> {
  if ("functionArn" in rule) {
    const place = { bucketArn: bucketArn(bucket.name), bucketAccount: bucket.account };
    return s3.functions.invokeAsync(tx, { functionArn: rule.functionArn, payload, ...place, ...trace });
  }
  const { queueArn } = rule;
  const answer = await s3.queues.send(tx, {
    queueArn,
    body: payload.toString(),
    ...trace,
    sender: senderOf(bucket),
  });
  // As on AWS, a queue that is gone keeps nobody from writing.
  if (answer !== "sent")
    s3.log.warn("A bucket's notification was lost", { bucket: bucket.name, queue: queueArn, reason: answer });
}

/** Who sends a bucket's notifications, as queues' policies know it. */
export function senderOf({ name, account }: BucketRow): NotificationSender {
  return { service: "s3.amazonaws.com", sourceArn: bucketArn(name), sourceAccount: account };
}

/** As the front door derives the response's own second id. */
export function hostIdOf(requestId: string): string {
  return Buffer.from(`lambent/${requestId}`).toString("base64");
}

/** Who did it and from where, as events tell it. */
function whoIs(changer: Changer): { readonly principalId: string; readonly sourceIp: string } {
  if ("servicePrincipal" in changer)
    return { principalId: changer.servicePrincipal, sourceIp: changer.servicePrincipal };
  return {
    principalId: `AWS:${changer.principal.userId}`,
    sourceIp: (changer.sourceIp ?? "127.0.0.1").replace(/^::ffff:/, ""),
  };
}
