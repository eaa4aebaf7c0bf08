/** EventBridge's errors, in its words. */
import { AwsError } from "../../aws/errors.ts";

export function noSuchBus(name: string): AwsError {
  return new AwsError("ResourceNotFoundException", `Event bus ${name} does not exist.`);
}

export function noSuchRule(rule: string, bus: string): AwsError {
  return new AwsError("ResourceNotFoundException", `Rule ${rule} does not exist on EventBus ${bus}.`);
}

/** `Rule`, `Archive` … with its name. */
export function notFound(what: string): AwsError {
  return new AwsError("ResourceNotFoundException", `${what} does not exist.`);
}

export function alreadyExists(what: string): AwsError {
  return new AwsError("ResourceAlreadyExistsException", `${what} already exists.`);
}

export function limitExceeded(
  message = "The requested resource exceeds the maximum number allowed.",
): AwsError {
  return new AwsError("LimitExceededException", message);
}

export function validation(message: string): AwsError {
  return new AwsError("ValidationException", message, {}, 400);
}

/** `Parameter X is not valid. Reason: …` */
export function invalidParameter(name: string, reason?: string): AwsError {
  return validation(`Parameter ${name} is not valid.${reason === undefined ? "" : ` Reason: ${reason}`}`);
}

export function invalidPattern(reason: string): AwsError {
  return new AwsError("InvalidEventPatternException", `Event pattern is not valid. Reason: ${reason}`);
}
