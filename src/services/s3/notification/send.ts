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
  const configurations = JSON.parse(bucket.notification) as FunctionNotification[];
  const receivers = matching(configurations, change.name, change.key);
  if (receivers.length === 0) return;
  const source = {
    bucket,
    owner: canonicalUserId(bucket.account),
    time: s3.clock.now(),
    ...whoIs(changer),
    requestId: changer.requestId,
    // As the front door derives the response's own second id.
    hostId: Buffer.from(`lambent/${changer.requestId}`).toString("base64"),
  };
  const traceHeader = "servicePrincipal" in changer ? undefined : changer.headers["x-amzn-trace-id"];
  for (const { id, functionArn } of receivers) {
    const invocation = {
      functionArn,
      payload: eventFor(change, source, id),
      bucketArn: bucketArn(bucket.name),
      bucketAccount: bucket.account,
      ...(typeof traceHeader === "string" && { traceHeader }),
    };
    try {
      await s3.functions.invokeAsync(tx, invocation);
    } catch (cause) {
      throw new Error(`The event of ${change.name} could not be handed to ${functionArn}`, { cause });
    }
  }
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
