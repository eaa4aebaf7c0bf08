/** Finds the stream that a request names, once its own policy does not stand in the way. */
import { requestConditions } from "../../aws/authorization.ts";
import { AwsError } from "../../aws/errors.ts";
import type { RequestContext, Requirement } from "../../aws/service.ts";
import type { DynamoDbStreamsDeps } from "./deps.ts";
import { notFound } from "./errors.ts";
import type { ResourcePolicies, StreamFacts } from "./ports.ts";

const BAD_REQUEST = 400;

/** @throws AwsError ResourceNotFoundException; AccessDeniedException */
export async function streamToRead(
  { streams, policies }: DynamoDbStreamsDeps,
  arn: string,
  context: RequestContext,
): Promise<StreamFacts> {
  const [, , , region, account] = arn.split(":");
  const stream = region === context.region ? await streams.facts(arn) : undefined;
  const isOwn = account === context.account;
  if (!stream && isOwn) throw notFound(`Stream: ${arn}`);
  if (stream && isOwn && stream.policy === undefined) return stream;
  // That a caller's own policies allow, or this one names them, the front door has seen to.
  const action = `dynamodb:${context.operation}`;
  const said = stream ? await whatPolicySays(policies, stream, { action, resource: arn }, context) : "none";
  if (stream && said !== "denied" && (isOwn || said !== "none")) return stream;
  const why =
    said === "denied"
      ? "with an explicit deny in a resource-based policy"
      : `because no resource-based policy allows the ${action} action`;
  throw new AwsError(
    "AccessDeniedException",
    `User: ${context.principal.arn} is not authorized to perform: ${action} on resource: ${arn} ${why}`,
    {},
    BAD_REQUEST,
  );
}

/** What a stream's policy says of a caller. */
export async function whatPolicySays(
  policies: ResourcePolicies,
  { policy }: Pick<StreamFacts, "policy">,
  { action, resource, conditions }: Requirement,
  context: RequestContext,
): ReturnType<ResourcePolicies["decide"]> {
  if (policy === undefined) return "none";
  return policies.decide(policy, {
    principal: context.principal,
    action,
    resource,
    conditions: { ...requestConditions(context), ...conditions },
  });
}
