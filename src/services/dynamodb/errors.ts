/** The errors DynamoDB raises, in its words. */
import { AwsError } from "../../aws/errors.ts";
import type { Attributes } from "./values/value.ts";

const BAD_REQUEST = 400;
const ENVELOPE = "1 validation error detected: ";

/** A request that DynamoDB refuses. The code is common to all services and so not in DynamoDB's own model. */
export function invalid(message: string): AwsError {
  return new AwsError("ValidationException", message, {}, BAD_REQUEST);
}

/** The most frequent form of {@link invalid}. */
export function invalidParameters(message: string): AwsError {
  return invalid(`One or more parameter values were invalid: ${message}`);
}

export function resourceNotFound(message = "Requested resource not found"): AwsError {
  return new AwsError("ResourceNotFoundException", message);
}

/** The condition of a write did not hold; `item` is returned when the caller asked for it. */
export function conditionFailed(item?: Attributes): AwsError {
  return new AwsError(
    "ConditionalCheckFailedException",
    "The conditional request failed",
    item ? { Item: item } : {},
  );
}

/** Whether an error is a refusal by {@link invalid}. */
export function isInvalid(error: unknown): error is AwsError {
  return error instanceof AwsError && error.code === "ValidationException";
}

/**
 * Runs the checks of a request. PutItem, UpdateItem and DeleteItem report what these find inside the words of a
 * constraint violation; the other operations report it bare.
 */
export function enveloped<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (isInvalid(error) && !error.message.startsWith(ENVELOPE)) throw invalid(ENVELOPE + error.message);
    throw error;
  }
}
