/** SetRepositoryPolicy, GetRepositoryPolicy and DeleteRepositoryPolicy. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Ecr } from "../deps.ts";
import { invalidParameter, noRepositoryPolicy } from "../errors.ts";
import { repositoryFor, whatPolicySays } from "../lookup.ts";
import { setPolicy } from "../store.ts";
import type { RepositoryRow } from "../store.ts";
import { requireStill } from "../uploads.ts";

export async function setRepositoryPolicy(
  ecr: Ecr,
  input: Input<Client, "SetRepositoryPolicy">,
  context: RequestContext,
): Promise<Output<Client, "SetRepositoryPolicy">> {
  const text = input.policyText ?? "";
  const fault = ecr.policies.fault(text);
  if (fault !== undefined)
    throw invalidParameter("PolicyText", `Invalid repository policy provided: ${fault}`);
  const repository = await repositoryFor(ecr, input, context);
  const later = { ...repository, policy: text };
  if (
    input.force !== true &&
    (await whatPolicySays(ecr, later, "ecr:SetRepositoryPolicy", context)) === "denied"
  )
    throw invalidParameter(
      "PolicyText",
      "The policy would keep you from setting another one; set force to do so all the same",
    );
  await ecr.database.tx(async (tx) => {
    await requireStill(tx, repository);
    await setPolicy(tx, repository.repository_id, text);
  });
  return told(repository, text);
}

export async function getRepositoryPolicy(
  ecr: Ecr,
  input: Input<Client, "GetRepositoryPolicy">,
  context: RequestContext,
): Promise<Output<Client, "GetRepositoryPolicy">> {
  const repository = await repositoryFor(ecr, input, context);
  if (repository.policy === null) throw noRepositoryPolicy(repository);
  return told(repository, repository.policy);
}

export async function deleteRepositoryPolicy(
  ecr: Ecr,
  input: Input<Client, "DeleteRepositoryPolicy">,
  context: RequestContext,
): Promise<Output<Client, "DeleteRepositoryPolicy">> {
  const repository = await repositoryFor(ecr, input, context);
  const policy = await ecr.database.tx(async (tx) => {
    const still = await requireStill(tx, repository);
    if (still.policy === null) throw noRepositoryPolicy(repository);
    await setPolicy(tx, repository.repository_id, null);
    return still.policy;
  });
  return told(repository, policy);
}

function told({ account, name }: RepositoryRow, policyText: string) {
  return { registryId: account, repositoryName: name, policyText };
}
