/** CreatePolicy and DeletePolicy. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { policyArn } from "../arn.ts";
import { alreadyExists, checkedDocument, deleteConflict, noSuchEntity } from "../errors.ts";
import { findPolicy } from "../owners.ts";
import { parseIdentityPolicy } from "../policy/index.ts";
import { checkQuota, documentSize } from "../quotas.ts";
import { toDate } from "../shapes.ts";
import { change } from "../state.ts";
import type { IamState } from "../state.ts";
import { boundaryCounts } from "../store.ts";
import {
  countPolicies,
  deletePolicy as deleteRow,
  getPolicy,
  insertPolicy,
  insertVersion,
  listAttachmentOwners,
  listVersions,
} from "../store-policies.ts";
import type { PolicyRow } from "../store-policies.ts";
import { toTags, withTags } from "../tags.ts";
import { uniqueId } from "../unique-id.ts";

type Client = typeof import("@aws-sdk/client-iam");

export async function createPolicy(
  state: IamState,
  input: Input<Client, "CreatePolicy">,
  { account }: RequestContext,
): Promise<Output<Client, "CreatePolicy">> {
  const now = state.clock.now();
  const name = input.PolicyName ?? "";
  const document = input.PolicyDocument ?? "";
  const policy: PolicyRow = {
    account,
    name_key: name.toLowerCase(),
    name,
    path: input.Path ?? "/",
    policy_id: uniqueId("ANPA", state.ids),
    description: input.Description ?? null,
    default_version: 1,
    last_version: 1,
    tags: withTags("{}", input.Tags),
    created_at: now,
    updated_at: now,
  };
  checkedDocument(() => parseIdentityPolicy(document));
  checkQuota("PolicySize", documentSize(document));
  await change(state, async (tx) => {
    if (await getPolicy(tx, account, name))
      throw alreadyExists(`A policy called ${name} already exists. Duplicate names are not allowed.`);
    checkQuota("PoliciesPerAccount", (await countPolicies(tx, account)) + 1);
    await insertPolicy(tx, policy);
    await insertVersion(tx, { policy_id: policy.policy_id, version: 1, document, created_at: now });
  });
  const tags = toTags(policy.tags);
  return {
    Policy: {
      PolicyName: name,
      PolicyId: policy.policy_id,
      Arn: policyArn(account, policy.path, name),
      Path: policy.path,
      DefaultVersionId: "v1",
      AttachmentCount: 0,
      PermissionsBoundaryUsageCount: 0,
      IsAttachable: true,
      CreateDate: toDate(now),
      UpdateDate: toDate(now),
      ...(tags.length > 0 && { Tags: tags }),
    },
  };
}

/** The default version goes with the policy; others, and attachments, must be gone before. */
export async function deletePolicy(
  state: IamState,
  input: Input<Client, "DeletePolicy">,
  { account }: RequestContext,
): Promise<object> {
  const arn = input.PolicyArn ?? "";
  await change(state, async (tx) => {
    const policy = await findPolicy(tx, account, arn);
    if (!policy) throw noSuchEntity(`Policy ${arn} was not found.`);
    const used = (await listAttachmentOwners(tx, account, arn)).length;
    if (used > 0 || (await boundaryCounts(tx, account)).has(arn))
      throw deleteConflict("Cannot delete a policy attached to entities.");
    if ((await listVersions(tx, policy.policy_id)).length > 1)
      throw deleteConflict(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
      );
    await deleteRow(tx, policy.policy_id);
  });
  return {};
}
