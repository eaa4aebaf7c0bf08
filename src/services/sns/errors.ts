/** SNS's errors, in its words. */
import { AwsError } from "../../aws/errors.ts";

/** `Invalid parameter: …` */
export function invalid(what: string): AwsError {
  return new AwsError("InvalidParameterException", `Invalid parameter: ${what}`);
}

export function noSuchTopic(): AwsError {
  return new AwsError("NotFoundException", "Topic does not exist");
}

export function noSuchSubscription(): AwsError {
  return new AwsError("NotFoundException", "Subscription does not exist");
}

export function noSuchResource(): AwsError {
  return new AwsError("ResourceNotFoundException", "Resource does not exist");
}

/** Of an attribute that is given with a topic or subscription that is made. */
export function refuseGiven(name: string, reason: string): AwsError {
  return invalid(`Attributes Reason: ${name}: ${reason}`);
}

/** Of an attribute that is changed. */
export function refuseChange(name: string, reason: string): AwsError {
  const isPolicyOfSubscription = name === "FilterPolicy" || name === "RedrivePolicy";
  return invalid(isPolicyOfSubscription ? `${name}: ${reason}` : `${name} Reason: ${reason}`);
}

/** Of message attributes. */
export function invalidValue(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message);
}
