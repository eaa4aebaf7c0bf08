/** The faults of PartiQL statements, in DynamoDB's words. */
import type { AwsError } from "../../../aws/errors.ts";
import { invalid } from "../errors.ts";

/** A statement that cannot be read. @param detail What was met where something else had to be; may be empty */
export function notWellFormed(detail: string): AwsError {
  return invalid(`Statement wasn't well formed, can't be processed: ${detail}`);
}

export const INCOMPLETE_KEY = "Where clause does not contain a mandatory equality on all key attributes";
export const DUPLICATE_ITEM = "Duplicate primary key exists in table";
