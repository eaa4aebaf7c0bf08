/** Finds the repository that a request names, once its own policy does not stand in the way. */
import { requestConditions } from "../../aws/authorization.ts";
import { AwsError } from "../../aws/errors.ts";
import type { RequestContext, Requirement } from "../../aws/service.ts";
import type { Ecr } from "./deps.ts";
import { noSuchRepository } from "./errors.ts";
import { repositoryArn } from "./names.ts";
import { getRepository } from "./store.ts";
import type { RepositoryRow } from "./store.ts";

export interface Named {
  readonly registryId?: string | undefined;
  readonly repositoryName?: string | undefined;
}

/** @throws AwsError RepositoryNotFoundException; AccessDeniedException */
export async function repositoryFor(
  ecr: Ecr,
  { registryId, repositoryName = "" }: Named,
  context: RequestContext,
): Promise<RepositoryRow> {
  const id = { account: registryId ?? context.account, region: context.region, name: repositoryName };
  const repository = await getRepository(ecr.database, id);
  if (!repository) throw noSuchRepository(id);
  await checkPolicy(ecr, repository, `ecr:${context.operation}`, context);
  return repository;
}

/**
 * What a repository's policy denies is denied, to whoever it is; and a caller of another account needs it to allow. That their own
 * policies allow, or this one names them, the front door has seen to.
 * @throws AwsError AccessDeniedException
 */
export async function checkPolicy(
  ecr: Ecr,
  repository: RepositoryRow,
  action: string,
  context: RequestContext,
): Promise<void> {
  const isOwn = repository.account === context.account;
  if (isOwn && repository.policy === null) return;
  const said = await whatPolicySays(ecr, repository, action, context);
  if (said === "denied")
    throw denied(
      repositoryArn(repository),
      action,
      context,
      "with an explicit deny in a resource-based policy",
    );
  if (!isOwn && said === "none")
    throw denied(
      repositoryArn(repository),
      action,
      context,
      `because no resource-based policy allows the ${action} action`,
    );
}

/** What the policy of a repository says of a caller and an action. */
export async function whatPolicySays(
  { policies }: Pick<Ecr, "policies">,
  repository: RepositoryRow,
  action: string,
  context: RequestContext,
  more: Requirement["conditions"] = {},
): ReturnType<Ecr["policies"]["decide"]> {
  if (repository.policy === null) return "none";
  return policies.decide(repository.policy, {
    principal: context.principal,
    action,
    resource: repositoryArn(repository),
    conditions: { ...requestConditions(context), ...more },
  });
}

/** A refusal as IAM words it. */
export function denied(resource: string, action: string, context: RequestContext, why: string): AwsError {
  return new AwsError(
    "AccessDeniedException",
    `User: ${context.principal.arn} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
    {},
    400,
  );
}
