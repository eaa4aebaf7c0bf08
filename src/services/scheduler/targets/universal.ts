/** Targets that name an operation: `arn:aws:scheduler:::aws-sdk:sqs:createQueue`, whose Input is the operation's own. */
import { notImplemented } from "../../../aws/errors.ts";
import { invalid } from "../errors.ts";
import type { Place } from "../names.ts";
import type { Operations } from "../ports.ts";
import type { Target } from "../schedules/definition.ts";
import type { Delivery } from "./delivery.ts";
import { handedOver } from "./handed-over.ts";

export const UNIVERSAL = "arn:aws:scheduler:::aws-sdk:";

const NAME = /^arn:aws:scheduler:::aws-sdk:([a-z0-9]+):([a-z][A-Za-z0-9]*)$/;
/** What only reads is nothing to do at a time. @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html */
const READS =
  /^(get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate|batchGet|batchDescribe|batchRead|transactGet|adminGet|adminList|testMigration|retrieve|testConnection|translateDocument|isAuthorized|isVpcPeered|invokeModel)/;

/** What a schedule's invocation does: a hand-over where the operation comes down to one, and else a call of it. */
export function universalDeliveries(target: Target, input: string, place: Place): Delivery[] {
  const { Arn: arn = "" } = target;
  const given = target.Input === undefined ? "{}" : input;
  return handedOver(arn.slice(UNIVERSAL.length), given, place) ?? [{ target: { arn }, body: given }];
}

/** @throws AwsError ValidationException; NotImplemented for operations that this server does not have */
export function checkUniversal({ Arn: arn = "" }: Target, input: string, operations: Operations): void {
  const [, service, action] = NAME.exec(arn) ?? [];
  if (service === undefined || action === undefined) throw invalid("Provided Arn is not in correct format.");
  if (READS.test(action))
    throw invalid(
      `The target ${arn} is not supported: EventBridge Scheduler calls no operations that only read.`,
    );
  const fault = operations.fault({ service, action, input });
  if (fault?.code === "unsupported") throw notImplemented(`the target ${arn}: ${fault.message}`);
  if (fault) throw invalid(`The Input of the target ${arn} cannot be used: ${fault.message}.`);
}
