/** Classes of log groups, and what those of infrequent access may not have. */
import { notImplemented } from "../../aws/errors.ts";
import { invalidParameter } from "./lookup.ts";
import type { GroupClass, GroupRow } from "./store.ts";

/** @throws AwsError NotImplemented for the class of vended logs' deliveries */
export function readGroupClass(named: string | undefined): GroupClass {
  if (named === "DELIVERY") throw notImplemented("logGroupClass DELIVERY of CreateLogGroup");
  return named === "INFREQUENT_ACCESS" ? "INFREQUENT_ACCESS" : "STANDARD";
}

/**
 * Live tails, metric filters, subscription filters, GetLogEvents and FilterLogEvents are for the standard class only.
 * @throws AwsError InvalidParameterException
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
 */
export function requireStandard(group: GroupRow, operation: string): void {
  if (group.class === "STANDARD") return;
  throw invalidParameter(
    `${operation} is not supported for log groups of the class ${group.class}; ${group.name} is one.`,
  );
}
