/** What tables' own policies say of callers, and how those of other accounts come in by them. */
import { requestConditions } from "../../../aws/authorization.ts";
import { AwsError } from "../../../aws/errors.ts";
import type { ConditionValues, RequestContext } from "../../../aws/service.ts";
import type { PolicyAnswer } from "../../../aws/resource-policies.ts";
import type { ResourcePolicies } from "../ports.ts";
import type { TableDefinition } from "./definition.ts";
import { tableArn } from "./definition.ts";

const BAD_REQUEST = 400;

/** One action on a table, or on an index of it. */
export interface TableAccess {
  /** `GetItem` */
  readonly action: string;
  readonly index?: string | undefined;
}

/** What a table's policy says of a caller. @param resource The ARN of the table or of an index of it. */
export async function whatPolicySays(
  policies: ResourcePolicies,
  { policy }: Pick<TableDefinition, "policy">,
  request: {
    readonly action: string;
    readonly resource: string;
    readonly conditions?: ConditionValues | undefined;
  },
  context: RequestContext,
): Promise<PolicyAnswer> {
  if (!policy) return "none";
  const { action, resource, conditions } = request;
  return policies.decide(policy.text, {
    principal: context.principal,
    action,
    resource,
    conditions: { ...requestConditions(context), ...conditions },
  });
}

/**
 * A caller of another account needs the table's policy to allow; that their own policies allow too, the front door has
 * seen to. What a policy denies to callers of its own account is refused there.
 *
 * @throws AwsError AccessDeniedException
 */
export async function checkForeigner(
  policies: ResourcePolicies,
  place: Pick<TableDefinition, "account" | "region" | "name">,
  table: TableDefinition | undefined,
  { action, index }: TableAccess,
  context: RequestContext,
): Promise<void> {
  if (place.account === context.account) return;
  const arn = index === undefined ? tableArn(place) : `${tableArn(place)}/index/${index}`;
  const request = { action: `dynamodb:${action}`, resource: arn };
  const said = table ? await whatPolicySays(policies, table, request, context) : "none";
  if (said !== "none" && said !== "denied") return;
  const why =
    said === "denied"
      ? "with an explicit deny in a resource-based policy"
      : `because no resource-based policy allows the ${request.action} action`;
  throw new AwsError(
    "AccessDeniedException",
    `User: ${context.principal.arn} is not authorized to perform: ${request.action} on resource: ${arn} ${why}`,
    {},
    BAD_REQUEST,
  );
}
