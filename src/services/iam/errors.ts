/** IAM's errors, in AWS's words. */
import { AwsError } from "../../aws/errors.ts";
import { PolicySyntaxError } from "./policy/index.ts";

export function noSuchEntity(message: string): AwsError {
  return new AwsError("NoSuchEntityException", message);
}

export function alreadyExists(message: string): AwsError {
  return new AwsError("EntityAlreadyExistsException", message);
}

export function deleteConflict(message: string): AwsError {
  return new AwsError("DeleteConflictException", message);
}

export function limitExceeded(message: string): AwsError {
  return new AwsError("LimitExceededException", message);
}

export function invalidInput(message: string): AwsError {
  return new AwsError("InvalidInputException", message);
}

export function validationError(message: string): AwsError {
  return new AwsError("ValidationError", message, {}, 400);
}

/** Runs a parser of policy documents; what it refuses is answered as MalformedPolicyDocument. */
export function checkedDocument<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof PolicySyntaxError)
      throw new AwsError("MalformedPolicyDocumentException", error.message);
    throw error;
  }
}
