/** GetPolicy and ListPolicies, over the account's own policies and AWS's. */
import type { Policy } from "@aws-sdk/client-iam";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import { policyArn } from "../arn.ts";
import { noSuchEntity } from "../errors.ts";
import { managedPolicies, managedPolicy } from "../managed-policies.ts";
import type { ManagedPolicy } from "../managed-policies.ts";
import { findPolicy } from "../owners.ts";
import { pageOf } from "../paging.ts";
import { toDate } from "../shapes.ts";
import type { IamState } from "../state.ts";
import { boundaryCounts } from "../store.ts";
import { attachmentCounts, listPolicies as ownPolicies } from "../store-policies.ts";
import type { PolicyRow } from "../store-policies.ts";
import { toTags } from "../tags.ts";

type Client = typeof import("@aws-sdk/client-iam");

/** How many roles and users a policy is attached to, and how many it bounds. */
interface Uses {
  readonly attached: ReadonlyMap<string, number>;
  readonly bounding: ReadonlyMap<string, number>;
}

export async function getPolicy(
  state: IamState,
  input: Input<Client, "GetPolicy">,
  { account }: RequestContext,
): Promise<Output<Client, "GetPolicy">> {
  const arn = input.PolicyArn ?? "";
  const uses = await usesOf(state.database, account);
  const aws = managedPolicy(arn);
  if (aws) return { Policy: { ...fromManaged(aws, uses), Tags: [] } };
  const policy = await findPolicy(state.database, account, arn);
  if (!policy) throw noSuchEntity(`Policy ${arn} was not found.`);
  return {
    Policy: {
      ...fromRow(policy, uses),
      ...(policy.description !== null && { Description: policy.description }),
      Tags: toTags(policy.tags),
    },
  };
}

export async function listPolicies(
  state: IamState,
  input: Input<Client, "ListPolicies">,
  { account }: RequestContext,
): Promise<Output<Client, "ListPolicies">> {
  const uses = await usesOf(state.database, account);
  const own = input.Scope === "AWS" ? [] : await ownPolicies(state.database, account);
  const aws = input.Scope === "Local" ? [] : managedPolicies();
  const prefix = input.PathPrefix ?? "/";
  const isUsed = (policy: Policy) => {
    const attached = (policy.AttachmentCount ?? 0) > 0;
    const bounding = (policy.PermissionsBoundaryUsageCount ?? 0) > 0;
    if (input.PolicyUsageFilter === "PermissionsPolicy") return attached;
    return input.PolicyUsageFilter === "PermissionsBoundary" ? bounding : attached || bounding;
  };
  const onlyUsed = input.OnlyAttached === true || input.PolicyUsageFilter !== undefined;
  const policies = [...own.map((row) => fromRow(row, uses)), ...aws.map((one) => fromManaged(one, uses))]
    .filter((policy) => policy.Path?.startsWith(prefix))
    .filter((policy) => !onlyUsed || isUsed(policy));
  const { items, truncation } = pageOf(policies, (policy: Policy) => policy.Arn ?? "", input);
  return { Policies: [...items], ...truncation };
}

async function usesOf(reader: Reader, account: string): Promise<Uses> {
  return {
    attached: await attachmentCounts(reader, account),
    bounding: await boundaryCounts(reader, account),
  };
}

function fromRow(row: PolicyRow, uses: Uses): Policy {
  const arn = policyArn(row.account, row.path, row.name);
  return {
    PolicyName: row.name,
    PolicyId: row.policy_id,
    Arn: arn,
    Path: row.path,
    DefaultVersionId: `v${row.default_version}`,
    ...countsOf(arn, uses),
    CreateDate: toDate(row.created_at),
    UpdateDate: toDate(row.updated_at),
  };
}

function fromManaged(policy: ManagedPolicy, uses: Uses): Policy {
  return {
    PolicyName: policy.name,
    PolicyId: policy.policyId,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: `v${policy.version}`,
    ...countsOf(policy.arn, uses),
    CreateDate: toDate(policy.createdAt),
    UpdateDate: toDate(policy.updatedAt),
  };
}

function countsOf(arn: string, uses: Uses) {
  return {
    AttachmentCount: uses.attached.get(arn) ?? 0,
    PermissionsBoundaryUsageCount: uses.bounding.get(arn) ?? 0,
    IsAttachable: true,
  };
}
