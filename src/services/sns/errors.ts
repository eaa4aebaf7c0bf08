/** SNS's errors, in its words. */
import { AwsError } from "../../aws/errors.ts";

/** `Invalid parameter: …` */
export function invalid(what: string): AwsError {
  return new AwsError("InvalidParameterException", `Invalid parameter: ${what}`);
}

/** Elements of an ARN, at least. */
const ARN_ELEMENTS = 6;

/** @param otherwise What SNS says of one that has the elements, and names nothing that can be. */
export function invalidArn(parameter: string, arn: string | undefined, otherwise = parameter): AwsError {
  if (arn === undefined) return invalid(`${parameter} Reason: no value for required parameter`);
  const elements = arn.split(":").length;
  if (elements >= ARN_ELEMENTS) return invalid(otherwise);
  return invalid(`${parameter} Reason: An ARN must have at least ${ARN_ELEMENTS} elements, not ${elements}`);
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

const OF_SUBSCRIPTIONS: ReadonlySet<string> = new Set([
  "DeliveryPolicy",
  "FilterPolicy",
  "FilterPolicyScope",
  "RawMessageDelivery",
  "RedrivePolicy",
]);

/** Of an attribute that is changed. */
export function refuseChange(name: string, reason: string): AwsError {
  return invalid(OF_SUBSCRIPTIONS.has(name) ? `${name}: ${reason}` : `${name} Reason: ${reason}`);
}

/** Of message attributes. */
export function invalidValue(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message);
}
