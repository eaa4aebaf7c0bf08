/** SQS's errors, in its words. Codes are those of its JSON protocol; the older query protocol's follow from them (src/aws/patches.ts). */
import { AwsError } from "../../aws/errors.ts";

export function noSuchQueue(): AwsError {
  return new AwsError("QueueDoesNotExist", "The specified queue does not exist.");
}

/** Of another account's queue, of which AWS does not say whether it is there. */
export function noQueueForYou(): AwsError {
  return new AwsError(
    "QueueDoesNotExist",
    "The specified queue does not exist or you do not have access to it.",
  );
}

export function missingParameter(name: string): AwsError {
  return new AwsError(
    "MissingRequiredParameterException",
    `The request must contain the parameter ${name}.`,
    {},
    400,
  );
}

export function invalidParameter(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message, {}, 400);
}

/** `Value 11 for parameter MaxNumberOfMessages is invalid. Reason: …` */
export function invalidValue(value: unknown, parameter: string, reason: string): AwsError {
  return invalidParameter(`Value ${String(value)} for parameter ${parameter} is invalid. Reason: ${reason}`);
}

export function invalidAttributeValue(name: string, reason?: string): AwsError {
  const text = `Invalid value for the parameter ${name}.`;
  return new AwsError("InvalidAttributeValue", reason === undefined ? text : `${text} Reason: ${reason}`);
}

export function unknownAttribute(name: string): AwsError {
  return new AwsError("InvalidAttributeName", `Unknown Attribute ${name}.`);
}

export function invalidHandle(handle: string): AwsError {
  return new AwsError(
    "ReceiptHandleIsInvalid",
    `The input receipt handle "${handle}" is not a valid receipt handle.`,
  );
}

export function notForThisType(value: unknown, parameter: string): AwsError {
  return invalidValue(
    value,
    parameter,
    "The request include parameter that is not valid for this queue type.",
  );
}
