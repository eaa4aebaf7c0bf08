/** Why a transaction was not carried out, action by action. */
import type { CancellationReason } from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../aws/errors.ts";
import { isInvalid } from "../errors.ts";
import type { Attributes } from "../values/value.ts";

/** A key that is empty refuses the whole request; other faults of one action cancel the transaction. */
const WHOLE_REQUEST_FAULT = /cannot contain an empty (?:string|binary) value/;

/** The reason an error of one action is; undefined when it is not about that action alone. */
export function reasonOf(error: unknown): CancellationReason | undefined {
  if (isInvalid(error)) return { Code: "ValidationError", Message: error.message };
  if (!(error instanceof AwsError)) return undefined;
  if (error.code === "ProvisionedThroughputExceededException")
    return { Code: "ProvisionedThroughputExceeded", Message: error.message };
  if (error.code !== "ConditionalCheckFailedException") return undefined;
  const item = error.members["Item"] as Attributes | undefined;
  return { Code: "ConditionalCheckFailed", Message: error.message, ...(item && { Item: item }) };
}

/** Runs the checks of one action; answers the reason they fail for. */
export function reasonFrom(check: () => void, isRead = false): CancellationReason | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    const reason = reasonOf(error);
    if (!reason || (!isRead && WHOLE_REQUEST_FAULT.test(reason.Message ?? ""))) throw error;
    return reason;
  }
}

/** Throws when there is any reason. */
export function cancelFor(reasons: readonly (CancellationReason | undefined)[]): void {
  if (!reasons.some(Boolean)) return;
  const all = reasons.map((reason) => reason ?? { Code: "None" });
  throw new AwsError(
    "TransactionCanceledException",
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${all.map(({ Code }) => Code).join(", ")}]`,
    { CancellationReasons: all },
  );
}
