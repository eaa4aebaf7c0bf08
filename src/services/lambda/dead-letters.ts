/** Whether a function's dead letters can go where its configuration says. */
import type { Configuration } from "./configuration.ts";
import { invalidParameter } from "./errors.ts";
import { destinationOf } from "./events/destinations.ts";
import type { DestinationDeps } from "./events/destinations.ts";
import type { FunctionId } from "./names.ts";

/** What dead letters are delivered by, by the service in their target's ARN. */
const CALLS: Readonly<Record<string, string>> = { sqs: "SendMessage on SQS", sns: "Publish on SNS" };

/** @throws InvalidParameterValueException for what is no queue or topic, is none of the region, or may not be sent to by the function's role. */
export async function checkDeadLetters(
  deps: DestinationDeps,
  { account, region, name }: FunctionId,
  { deadLetterArn, role }: Configuration,
): Promise<void> {
  if (deadLetterArn === undefined) return;
  const invalid = (why: string) =>
    invalidParameter(`The dead-letter target ${deadLetterArn} is invalid: ${why}.`);
  const call = CALLS[deadLetterArn.split(":")[2] ?? ""];
  if (call === undefined) throw invalid("dead letters are delivered to SQS queues and SNS topics");
  const destination = destinationOf(deps, deadLetterArn);
  const fault = await destination?.fault({ account, region, name, roleArn: role }, deadLetterArn);
  if (fault?.includes("does not have permissions"))
    throw invalidParameter(`The provided execution role does not have permissions to call ${call}`);
  if (fault !== undefined) throw invalid(fault);
}
