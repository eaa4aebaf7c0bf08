/** The errors of event source mappings, each with AWS's code; all of them are the caller's. */
import { AwsError } from "../aws/errors.ts";

const USER = { Type: "User" } as const;

export function invalidParameter(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message, USER);
}

export function noMapping(): AwsError {
  return new AwsError("ResourceNotFoundException", "The resource you requested does not exist.", USER);
}

export function inUse(verb: "update" | "delete"): AwsError {
  return new AwsError(
    "ResourceInUseException",
    `Cannot ${verb} the event source mapping because it is in use.`,
    USER,
  );
}

export function conflict(message: string): AwsError {
  return new AwsError("ResourceConflictException", message, USER);
}
