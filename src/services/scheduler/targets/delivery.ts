/** What goes where when a schedule invokes its target. */
import { notImplemented } from "../../../aws/errors.ts";
import type { RequestContext } from "../../../aws/service.ts";
import { invalid } from "../errors.ts";
import { INPUT_BYTES_MAX } from "../limits.ts";
import { groupArn, scheduleArn } from "../names.ts";
import type { Sender, TargetRef } from "../../../aws/parcel.ts";
import type { Courier, Operations, Roles } from "../ports.ts";
import type { Definition } from "../schedules/definition.ts";
import { ATTEMPT_NUMBER, inputOf } from "../schedules/input.ts";
import type { Invocation } from "../schedules/input.ts";
import { templatedDelivery } from "./templated.ts";
import { UNIVERSAL, checkUniversal, universalDeliveries } from "./universal.ts";

export interface Delivery {
  /** What the courier needs to know beside the role. */
  readonly target: Omit<TargetRef, "roleArn" | "trustSourceArn">;
  readonly body: string;
}

/** @throws AwsError ValidationException or NotImplemented for what cannot be delivered */
export function deliveriesOf(definition: Definition, invocation: Invocation): Delivery[] {
  const { target } = definition;
  const input = inputOf(definition, invocation);
  return target.Arn?.startsWith(UNIVERSAL)
    ? universalDeliveries(target, input, invocation)
    : [templatedDelivery(target, input)];
}

interface Ports {
  readonly courier: Courier;
  readonly roles: Roles;
  readonly operations: Operations;
}

interface Checked {
  readonly group: string;
  readonly name: string;
  readonly definition: Definition;
}

/**
 * Checks a schedule's target before it is taken: that this server can deliver there, and that the role lets EventBridge Scheduler act for it.
 * Whether the target is there, and the role may use it, shows when it is invoked, as on AWS.
 * @throws AwsError ValidationException; NotImplemented
 */
export async function checkTarget(
  { courier, roles, operations }: Ports,
  { group, name, definition }: Checked,
  { account, region }: RequestContext,
): Promise<void> {
  const { RoleArn = "", Input = "", DeadLetterConfig } = definition.target;
  if (Buffer.byteLength(Input) > INPUT_BYTES_MAX)
    throw invalid(`The Input of the target must be at most ${INPUT_BYTES_MAX} bytes long.`);
  if (DeadLetterConfig?.Arn?.endsWith(".fifo"))
    throw invalid("A FIFO queue cannot be the dead-letter queue of a schedule.");
  const sourceArn = scheduleArn({ account, region }, group, name);
  const trial = { scheduleArn: sourceArn, account, region, scheduledAt: 0, executionId: "0".repeat(16) };
  const sender: Sender = { service: "scheduler.amazonaws.com", sourceArn, account, region };
  const trustSourceArn = groupArn({ account, region }, group);
  const deliveries = deliveriesOf(definition, trial);
  if (definition.target.Arn?.startsWith(UNIVERSAL)) {
    const input = definition.target.Input === undefined ? "{}" : inputOf(definition, trial);
    checkUniversal(definition.target, input.replaceAll(ATTEMPT_NUMBER, "1"), operations);
  }
  for (const { target } of deliveries) {
    if (JSON.stringify(target).includes(ATTEMPT_NUMBER))
      throw notImplemented(`${ATTEMPT_NUMBER} outside of what the target gets`);
    const fault = await courier.fault({ ...target, roleArn: RoleArn, trustSourceArn }, sender);
    if (fault?.code === "unsupported") throw notImplemented(`the target ${target.arn}: ${fault.message}`);
  }
  if (
    RoleArn.split(":")[4] !== account ||
    !(await roles.canBeAssumedBy(RoleArn, sender.service, trustSourceArn))
  )
    throw invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.");
}
