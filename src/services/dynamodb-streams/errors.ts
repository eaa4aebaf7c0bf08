/** The errors of the streams' API, in its words. */
import { AwsError } from "../../aws/errors.ts";

const BAD_REQUEST = 400;

export function invalid(message: string): AwsError {
  return new AwsError("ValidationException", message, {}, BAD_REQUEST);
}

export function notFound(what: string): AwsError {
  return new AwsError("ResourceNotFoundException", `Requested resource not found: ${what} not found`);
}

/** Refuses a Limit above what an operation answers at most. */
export function checkLimit(limit: number | undefined, max: number): number {
  if (limit !== undefined && limit > max)
    throw invalid(
      `1 validation error detected: Value '${limit}' at 'limit' failed to satisfy constraint: ` +
        `Member must have value less than or equal to ${max}`,
    );
  return limit ?? max;
}
