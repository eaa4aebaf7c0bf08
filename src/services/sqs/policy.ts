/** What queues' policies say of callers, and whether services and roles may send. */
import { requestConditions } from "../../aws/authorization.ts";
import { AwsError } from "../../aws/errors.ts";
import type { ConditionValues, RequestContext } from "../../aws/service.ts";
import type { SqsDeps } from "./deps.ts";
import type { QueueSender } from "./messages/sender.ts";
import type { PolicyAnswer } from "../../aws/resource-policies.ts";
import { serviceConditions } from "../../aws/resource-policies.ts";
import type { Queue } from "./queues/settings.ts";

type Policies = Pick<SqsDeps, "policies">;

/** What the policy of a queue says of the caller of a request. */
export async function whatPolicySays(
  { policies }: Policies,
  queue: Queue,
  action: string,
  context: RequestContext,
  conditions: ConditionValues = {},
): Promise<PolicyAnswer> {
  if (queue.policy === undefined) return "none";
  const facts = { ...requestConditions(context), ...conditions };
  return policies.ask(queue.policy, { action, resources: [queue.arn], conditions: facts }, context.principal);
}

/** A caller of another account needs the queue's policy to allow it; that their own policies do, the front door has seen to. */
export async function isGranted(
  deps: Policies,
  queue: Queue,
  action: string,
  context: RequestContext,
): Promise<boolean> {
  if (queue.account === context.account) return true;
  const said = await whatPolicySays(deps, queue, action, context);
  return said !== "denied" && said !== "none";
}

/** @throws AwsError AccessDenied where it is not granted */
export async function requireGrant(
  deps: Policies,
  queue: Queue,
  action: string,
  context: RequestContext,
): Promise<void> {
  if (!(await isGranted(deps, queue, action, context)))
    throw new AwsError(
      "AccessDeniedException",
      `User: ${context.principal.arn} is not authorized to perform: ${action} on resource: ${queue.arn} because no resource-based policy allows the ${action} action`,
      {},
      403,
    );
}

/** Whether a service, or what acts for a role, may send to a queue. */
export async function maySend(
  { policies, roles }: Pick<SqsDeps, "policies" | "roles">,
  queue: Queue,
  sender: QueueSender,
): Promise<boolean> {
  const action = "sqs:SendMessage";
  const { policy, arn } = queue;
  const question = { action, resources: [arn] };
  if ("service" in sender) {
    if (policy === undefined) return false;
    const conditions = serviceConditions(sender);
    const said = await policies.ask(policy, { ...question, conditions }, { service: sender.service });
    return said !== "denied" && said !== "none";
  }
  return roles.mayUse(sender.roleArn, action, { arn, policy });
}
