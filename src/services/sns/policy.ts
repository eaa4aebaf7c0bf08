/** What topics' policies say of callers, and whether services and roles may publish. */
import { requestConditions } from "../../aws/authorization.ts";
import { AwsError } from "../../aws/errors.ts";
import type { PolicyAnswer } from "../../aws/resource-policies.ts";
import type { ConditionValues, RequestContext } from "../../aws/service.ts";
import { serviceConditions } from "../../aws/resource-policies.ts";
import type { SnsDeps } from "./deps.ts";
import type { Topic } from "./topics/topic.ts";

type Policies = Pick<SnsDeps, "policies">;

/** Another service, for a resource of an account, or what acts for a role. */
export type TopicSender =
  | { readonly service: string; readonly sourceArn: string; readonly sourceAccount: string }
  | { readonly roleArn: string };

export const REFUSED = "AuthorizationErrorException";

/** What the policy of a topic says of the caller of a request. */
export async function whatPolicySays(
  { policies }: Policies,
  topic: Topic,
  action: string,
  context: RequestContext,
  conditions: ConditionValues = {},
): Promise<PolicyAnswer> {
  const facts = { ...requestConditions(context), ...conditions };
  return policies.ask(topic.policy, { action, resources: [topic.arn], conditions: facts }, context.principal);
}

/**
 * A caller of another account needs the topic's policy to allow it; that their own policies do, the front door has seen to.
 * @throws AwsError AuthorizationError
 */
export async function requireGrant(
  deps: Policies,
  topic: Topic,
  action: string,
  context: RequestContext,
  conditions: ConditionValues = {},
): Promise<void> {
  if (topic.account === context.account) return;
  const said = await whatPolicySays(deps, topic, action, context, conditions);
  if (said === "denied" || said === "none")
    throw new AwsError(
      REFUSED,
      `User: ${context.principal.arn} is not authorized to perform: ${action} on resource: ${topic.arn} because no resource-based policy allows the ${action} action`,
    );
}

/** Whether a service, or what acts for a role, may publish to a topic. */
export async function mayPublish(
  { policies, roles }: Pick<SnsDeps, "policies" | "roles">,
  { policy, arn, account: owner }: Topic,
  sender: TopicSender,
): Promise<boolean> {
  const action = "SNS:Publish";
  const question = { action, resources: [arn] };
  if ("service" in sender) {
    const conditions = serviceConditions(sender);
    const said = await policies.ask(policy, { ...question, conditions }, { service: sender.service });
    return said !== "denied" && said !== "none";
  }
  const account = sender.roleArn.split(":")[4] ?? "";
  const said = await policies.ask(policy, question, { account, arn: sender.roleArn });
  if (said === "denied") return false;
  // Within one account either is enough; across accounts both sides must allow.
  if (owner === account && said === "principal") return true;
  return (owner === account || said !== "none") && (await roles.allows(sender.roleArn, action, arn));
}
