/** The errors of this service, each with AWS's code; all of them are the caller's. */
import { AwsError } from "../../aws/errors.ts";
import type { RequestContext } from "../../aws/service.ts";
import type { ObjectVersion } from "./ports.ts";

const USER = { Type: "User" } as const;

export function invalidParameter(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message, USER);
}

export function notFound(message: string): AwsError {
  return new AwsError("ResourceNotFoundException", message, USER);
}

export function conflict(message: string): AwsError {
  return new AwsError("ResourceConflictException", message, USER);
}

export function snapStartNotReady(): AwsError {
  return new AwsError(
    "SnapStartNotReadyException",
    "Lambda is initializing your function. It will be ready to invoke once your function state becomes ACTIVE.",
    USER,
  );
}

export function accessDenied(message: string): AwsError {
  return new AwsError("AccessDeniedException", message, {}, 403);
}

/** No policy of another account's resource lets the caller do what they asked for. */
export function notAuthorized(arn: string, context: RequestContext, operation: string): Error {
  return accessDenied(
    `User: ${context.principal.arn} is not authorized to perform: lambda:${operation} on resource: ${arn} ` +
      `because no resource-based policy allows the lambda:${operation} action`,
  );
}

/** A value that the model allows and the service does not, answered as a failed constraint of the model is. */
export function failedConstraint(value: string, member: string, constraint: string): AwsError {
  return new AwsError(
    "ValidationException",
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${constraint}`,
    {},
    400,
  );
}

/** AWS signs zips only. */
export function unsignable(): AwsError {
  return invalidParameter("Code signing is not supported for functions created with container images.");
}

/** Code that stays in a bucket, and is no longer there. */
export function codeGone({ bucket, key, versionId }: ObjectVersion): AwsError {
  return new AwsError(
    "InvalidZipFileException",
    `Lambda could not read the deployment package: version ${versionId} of s3://${bucket}/${key} is not there. ` +
      "Update the function's code.",
    { Type: "Server" },
  );
}

/** A RevisionId of the request that is not the current one. */
export function staleRevision(call = "GetFunction/GetAlias"): AwsError {
  return new AwsError(
    "PreconditionFailedException",
    `The Revision Id provided does not match the latest Revision Id. Call the ${call} API to retrieve the latest Revision Id`,
    USER,
  );
}
