/** Whether a function's dead letters can go where its configuration says. */
import type { Configuration } from "./configuration.ts";
import { invalidParameter } from "./errors.ts";
import { destinationOf } from "./events/destinations.ts";
import type { DestinationDeps } from "./events/destinations.ts";
import type { FunctionId } from "./names.ts";

/** @throws InvalidParameterValueException for what is no queue, is none of the region, or may not be sent to by the function's role. */
export async function checkDeadLetters(
  deps: DestinationDeps,
  { account, region, name }: FunctionId,
  { deadLetterArn, role }: Configuration,
): Promise<void> {
  if (deadLetterArn === undefined) return;
  const invalid = (why: string) =>
    invalidParameter(`The dead-letter target ${deadLetterArn} is invalid: ${why}.`);
  if (deadLetterArn.split(":")[2] !== "sqs")
    throw invalid("dead letters are delivered to SQS queues and SNS topics");
  const destination = destinationOf(deps, deadLetterArn);
  const fault = await destination?.fault({ account, region, name, roleArn: role }, deadLetterArn);
  if (fault?.includes("does not have permissions"))
    throw invalidParameter(
      "The provided execution role does not have permissions to call SendMessage on SQS",
    );
  if (fault !== undefined) throw invalid(fault);
}
