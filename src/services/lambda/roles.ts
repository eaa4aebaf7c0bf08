/** The rule for execution roles. */
import type { RequestContext } from "../../aws/service.ts";
import { accessDenied, invalidParameter } from "./errors.ts";
import type { Roles } from "./ports.ts";

/** @throws where the role is another account's, does not exist, or does not trust Lambda. */
export async function checkRole(roles: Roles, roleArn: string, context: RequestContext): Promise<void> {
  if (roleArn.split(":")[4] !== context.account)
    throw accessDenied("Cross-account pass role is not allowed.");
  if (await roles.canBeAssumedBy(roleArn, "lambda.amazonaws.com")) return;
  throw invalidParameter("The role defined for the function cannot be assumed by Lambda.");
}
