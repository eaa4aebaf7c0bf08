/** Hands an object's change to the functions, queues, topics and the event bus that its bucket notifies, in the transaction that makes the change. */
import type { RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import { canonicalUserId } from "../access.ts";
import type { S3 } from "../deps.ts";
import type { NotificationSender } from "../ports.ts";
import type { BucketRow } from "../rows.ts";
import { busEvent } from "./bus-event.ts";
import { matching, readNotification } from "./configuration.ts";
import type { NotificationRule } from "./configuration.ts";
import { bucketArn, eventFor } from "./event.ts";
import type { ObjectChange } from "./event.ts";

/** Who changes an object: a request, or Lambda for a function; or a service by itself. */
export type Changer =
  | (Pick<RequestContext, "requestId" | "sourceIp" | "headers"> & {
      readonly principal: { readonly userId: string; readonly account?: string };
    })
  | { readonly requestId: string; readonly servicePrincipal: string };

/** Of what topics get. */
export const SUBJECT = "Amazon S3 Notification";
/** What functions, queues and topics answer when they have it. */
const TAKEN: ReadonlySet<string> = new Set(["queued", "sent", "published"]);

/** @throws Error (never an AwsError) when a hand-over fails: the change must then not be committed either. */
export async function notify(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  change: ObjectChange,
  changer: Changer,
): Promise<void> {
  if (bucket.notification === null) return;
  const { rules, eventBridge } = readNotification(bucket.notification);
  if (eventBridge) await toEventBus(s3, tx, bucket, change, changer);
  const receivers = matching(rules, change.name, change.key);
  if (receivers.length === 0) return;
  const source = {
    bucket,
    owner: canonicalUserId(bucket.account),
    time: s3.clock.now(),
    ...whoIs(changer),
    requestId: changer.requestId,
    hostId: hostIdOf(changer.requestId),
  };
  for (const rule of receivers) {
    const event = { payload: eventFor(change, source, rule.id), ...traceOf(changer) };
    try {
      await handOver(s3, tx, bucket, rule, event);
    } catch (cause) {
      throw new Error(`The event of ${change.name} could not be handed to ${receiverOf(rule)}`, { cause });
    }
  }
}

/** Every account has the bus, and S3 puts its account's events without being let in. */
async function toEventBus(
  { buses }: S3,
  tx: Transaction,
  bucket: BucketRow,
  change: ObjectChange,
  changer: Changer,
): Promise<void> {
  const { account, region, name } = bucket;
  const requester =
    "servicePrincipal" in changer ? changer.servicePrincipal : (changer.principal.account ?? account);
  const { sourceIp } = whoIs(changer);
  const event = busEvent(change, { bucket, requester, sourceIp, requestId: changer.requestId });
  if (!event) return;
  await buses.put(tx, {
    ...event,
    busArn: `arn:aws:events:${region}:${account}:event-bus/default`,
    source: "aws.s3",
    resources: [bucketArn(name)],
    account,
    region,
    ...traceOf(changer),
  });
}

function traceOf(changer: Changer): { readonly traceHeader?: string } {
  const header = "servicePrincipal" in changer ? undefined : changer.headers["x-amzn-trace-id"];
  return typeof header === "string" ? { traceHeader: header } : {};
}

async function handOver(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  rule: NotificationRule,
  event: { readonly payload: Buffer; readonly traceHeader?: string },
): Promise<void> {
  const sender = senderOf(bucket);
  const answer =
    "functionArn" in rule
      ? await toFunction(s3, tx, rule.functionArn, sender, event)
      : "queueArn" in rule
        ? await toQueue(s3, tx, rule.queueArn, sender, event)
        : await toTopic(s3, tx, rule.topicArn, sender, event);
  // As on AWS, what is gone, or does not let the bucket in any more, keeps nobody from writing.
  if (!TAKEN.has(answer))
    s3.log.warn("A bucket's notification was lost", {
      bucket: bucket.name,
      receiver: receiverOf(rule),
      reason: answer,
    });
}

async function toFunction(
  { functions }: S3,
  tx: Transaction,
  functionArn: string,
  sender: NotificationSender,
  event: { readonly payload: Buffer; readonly traceHeader?: string },
) {
  const said = await functions.check(functionArn, sender, tx);
  return said === "ok" ? functions.invokeAsync(tx, { functionArn, ...event }) : said;
}

function toQueue(
  { queues }: S3,
  tx: Transaction,
  queueArn: string,
  sender: NotificationSender,
  { payload, ...trace }: { readonly payload: Buffer; readonly traceHeader?: string },
) {
  return queues.send(tx, { queueArn, body: payload.toString(), ...trace, sender });
}

async function toTopic(
  { topics }: S3,
  tx: Transaction,
  topicArn: string,
  sender: NotificationSender,
  { payload, ...trace }: { readonly payload: Buffer; readonly traceHeader?: string },
) {
  const said = await topics.check(topicArn, sender, tx);
  if (said !== "ok") return said;
  return topics.publish(tx, { topicArn, message: payload.toString(), subject: SUBJECT, ...trace });
}

function receiverOf(rule: NotificationRule): string {
  if ("topicArn" in rule) return rule.topicArn;
  return "queueArn" in rule ? rule.queueArn : rule.functionArn;
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
