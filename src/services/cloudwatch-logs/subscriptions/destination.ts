/** Where a subscription filter can send: which ARNs, and whether it may. */
import { notImplemented } from "../../../aws/errors.ts";
import type { AwsError } from "../../../aws/errors.ts";
import type { RequestContext } from "../../../aws/service.ts";
import { groupArn, invalidParameter } from "../lookup.ts";
import type { Sender } from "../../../aws/parcel.ts";
import type { LogsState } from "../state.ts";
import type { DestinationKind } from "./message.ts";
import type { NotedGroup } from "./outbox.ts";

/** The principal that functions' policies and roles' trust name. */
const LOGS = "logs.amazonaws.com";

export function destinationKind(arn: string): DestinationKind {
  return arn.startsWith("arn:aws:lambda:") ? "Lambda" : "Kinesis";
}

/** @throws AwsError for what is no destination, or none here */
export function checkDestinationArn(arn: string, { account, region }: RequestContext): DestinationKind {
  const [, partition, service = "", itsRegion, itsAccount, ...rest] = arn.split(":");
  const resource = rest.join(":");
  if (service === "firehose")
    throw notImplemented("Firehose delivery streams as destinationArn of PutSubscriptionFilter");
  if (service === "logs" && resource.startsWith("destination:"))
    throw notImplemented("destinations of PutDestination as destinationArn of PutSubscriptionFilter");
  const isKnown =
    (service === "lambda" && resource.startsWith("function:")) ||
    (service === "kinesis" && resource.startsWith("stream/"));
  if (partition !== "aws" || !isKnown)
    throw invalidParameter(`destinationArn ${arn} names neither a function nor a stream of Kinesis.`);
  if (itsRegion !== region || itsAccount !== account)
    throw invalidParameter(
      `destinationArn ${arn} belongs to another account or region. A subscription filter sends to functions and streams of its own.`,
    );
  return service === "lambda" ? "Lambda" : "Kinesis";
}

/** @throws AwsError with AWS's text where a function may not be invoked */
export async function checkFunction(state: LogsState, arn: string, group: NotedGroup): Promise<void> {
  const sender = await senderFor(state, arn, group);
  if ((await state.courier.fault({ arn }, sender)) === undefined) return;
  throw invalidParameter(
    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.",
  );
}

/** @throws AwsError where a stream is not there, or the role cannot be used or may not write to it */
export async function checkStream(
  state: LogsState,
  arn: string,
  roleArn: string | undefined,
  group: NotedGroup,
): Promise<void> {
  if (roleArn === undefined)
    throw invalidParameter("destinationArn for vendor kinesis cannot be used without roleArn.");
  if (!(await state.roles.canBeAssumedBy(roleArn, LOGS)))
    throw invalidParameter(
      "Could not deliver test message to specified Kinesis stream. Check if the role exists and can be assumed by CloudWatch Logs.",
    );
  const fault = await state.courier.fault({ arn, roleArn }, await senderFor(state, arn, group));
  if (fault?.code === "denied")
    throw invalidParameter(
      `Could not deliver test message to specified Kinesis stream. ${roleArn} does not allow kinesis:PutRecord on ${arn}.`,
    );
  if (fault) throw streamNotActive();
}

export function streamNotActive(): AwsError {
  return invalidParameter(
    "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state.",
  );
}

/** Who asks a destination. Policies of old name the principal of the region (`logs.us-east-1.amazonaws.com`), and are as good. */
export async function senderFor(
  state: LogsState,
  arn: string,
  { account, region, name }: NotedGroup,
): Promise<Sender> {
  const sender = { service: LOGS, sourceArn: `${groupArn(account, region, name)}:*`, account, region };
  if (destinationKind(arn) !== "Lambda") return sender;
  const regional = { ...sender, service: `logs.${region}.amazonaws.com` };
  const mayAs = async (one: Sender) => (await state.courier.fault({ arn }, one)) === undefined;
  return !(await mayAs(sender)) && (await mayAs(regional)) ? regional : sender;
}
