/** What requests to user pools need of the caller's policies. */
import type { RequestContext, Requirement, ServiceAuthorization } from "../../aws/service.ts";
import { tagConditions, tagKeyConditions } from "../../aws/tag-conditions.ts";
import { anonymousOperations } from "../../aws/patches.ts";
import { READ_MESSAGES } from "./messages/route.ts";
import { poolArn, readPoolArn } from "./names.ts";
import { operationTable } from "./operation-table.ts";

type Loose = Readonly<Record<string, unknown>>;

/** Those that users call, who are known by their password or token and not by a signature. */
const OPEN: ReadonlySet<string> = new Set([
  ...(anonymousOperations["cognito-identity-provider"] ?? []),
  "GetUserAuthFactors",
]);

/**
 * Whatever has a pool's id needs its action on the pool.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncognitouserpools.html
 */
function requirements(operation: string, input: Loose, context: RequestContext): Requirement[] {
  if (OPEN.has(operation)) return [];
  const { account, region } = context;
  const on = (poolId: string) => poolArn({ account, region, poolId });
  const action = `cognito-idp:${operation}`;
  switch (operation) {
    // A code that a message tells is as good as the user's own.
    case READ_MESSAGES:
      return [
        { action: "cognito-idp:AdminGetUser", resource: on(String(input["UserPoolId"])) },
        { action: "cognito-idp:AdminSetUserPassword", resource: on(String(input["UserPoolId"])) },
      ];
    case "DescribeUserPoolDomain":
    case "ListUserPools":
      return [{ action, resource: "*" }];
    case "CreateUserPool":
      return [
        { action, resource: "*", conditions: tagConditions(input["UserPoolTags"] as Record<string, string>) },
        ...passRole(input),
      ];
    case "TagResource":
    case "UntagResource":
    case "ListTagsForResource": {
      const arn = String(input["ResourceArn"]);
      // What is no pool's ARN is refused by the operation.
      if (!readPoolArn(arn)) return [];
      const conditions =
        operation === "UntagResource"
          ? tagKeyConditions(input["TagKeys"] as string[])
          : tagConditions(input["Tags"] as Record<string, string> | undefined);
      return [{ action, resource: arn, conditions }];
    }
    default:
      return [{ action, resource: on(String(input["UserPoolId"])) }, ...passRole(input)];
  }
}

/** Who gives a pool a role for its SMS must be allowed to pass it. */
function passRole(input: Loose): Requirement[] {
  const within = (input["SmsMfaConfiguration"] ?? input) as Loose;
  const { SnsCallerArn: role } = (within["SmsConfiguration"] ?? {}) as { readonly SnsCallerArn?: string };
  if (role === undefined) return [];
  const conditions = { "iam:passedtoservice": "cognito-idp.amazonaws.com" };
  return [{ action: "iam:PassRole", resource: role, conditions }];
}

export const authorization: ServiceAuthorization = {
  operations: new Set([...Object.keys(operationTable), READ_MESSAGES]),
  requirements,
};
