/** Hands an object's change to the functions that its bucket notifies, in the transaction that makes the change. */
import type { RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import { canonicalUserId } from "../access.ts";
import type { S3 } from "../deps.ts";
import type { BucketRow } from "../rows.ts";
import { matching } from "./configuration.ts";
import type { FunctionNotification } from "./configuration.ts";
import { bucketArn, eventFor } from "./event.ts";
import type { ObjectChange } from "./event.ts";

/** @throws Error (never an AwsError) when a hand-over fails: the change must then not be committed either. */
export async function notify(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  change: ObjectChange,
  context: RequestContext,
): Promise<void> {
  if (bucket.notification === null) return;
  const configurations = JSON.parse(bucket.notification) as FunctionNotification[];
  const receivers = matching(configurations, change.name, change.key);
  if (receivers.length === 0) return;
  const source = {
    bucket,
    owner: canonicalUserId(bucket.account),
    time: s3.clock.now(),
    principalId: `AWS:${context.principal.userId}`,
    sourceIp: (context.sourceIp ?? "127.0.0.1").replace(/^::ffff:/, ""),
    requestId: context.requestId,
    // As the front door derives the response's own second id.
    hostId: Buffer.from(`lambent/${context.requestId}`).toString("base64"),
  };
  for (const { id, functionArn } of receivers) {
    const event = eventFor(change, source, id);
    try {
      await s3.functions.invokeAsync(tx, functionArn, event, bucketArn(bucket.name), bucket.account);
    } catch (cause) {
      throw new Error(`The event of ${change.name} could not be handed to ${functionArn}`, { cause });
    }
  }
}
