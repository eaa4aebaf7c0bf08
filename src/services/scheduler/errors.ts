/** EventBridge Scheduler's errors, in its words where they are known. */
import { AwsError } from "../../aws/errors.ts";

export function invalid(message: string): AwsError {
  return new AwsError("ValidationException", message);
}

export function noSuchSchedule(name: string): AwsError {
  return new AwsError("ResourceNotFoundException", `Schedule ${name} does not exist.`);
}

export function noSuchGroup(name: string): AwsError {
  return new AwsError("ResourceNotFoundException", `Schedule group ${name} does not exist.`);
}

export function conflict(message: string): AwsError {
  return new AwsError("ConflictException", message);
}

export function overQuota(what: string, max: number): AwsError {
  return new AwsError(
    "ServiceQuotaExceededException",
    `The request exceeds the quota of ${max} ${what} for this account and region.`,
  );
}
