/** Versions of managed policies: Create, Get, List, Delete, SetDefault. */
import type { PolicyVersion } from "@aws-sdk/client-iam";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import { checkedDocument, deleteConflict, limitExceeded, noSuchEntity } from "../errors.ts";
import { managedPolicy } from "../managed-policies.ts";
import { findPolicy } from "../owners.ts";
import { pageOf } from "../paging.ts";
import { parseIdentityPolicy } from "../policy/index.ts";
import { checkQuota, documentSize, POLICY_VERSIONS_MAX } from "../quotas.ts";
import { encodeDocument, toDate } from "../shapes.ts";
import { change } from "../state.ts";
import type { IamState } from "../state.ts";
import { deleteVersion, getVersion, insertVersion, listVersions, updatePolicy } from "../store-policies.ts";
import type { PolicyRow, PolicyVersionRow } from "../store-policies.ts";

type Client = typeof import("@aws-sdk/client-iam");

export async function createPolicyVersion(
  state: IamState,
  input: Input<Client, "CreatePolicyVersion">,
  { account }: RequestContext,
): Promise<Output<Client, "CreatePolicyVersion">> {
  const document = input.PolicyDocument ?? "";
  const now = state.clock.now();
  return change(state, async (tx) => {
    const policy = await requirePolicy(tx, account, input.PolicyArn);
    checkedDocument(() => parseIdentityPolicy(document));
    checkQuota("PolicySize", documentSize(document));
    if ((await listVersions(tx, policy.policy_id)).length >= POLICY_VERSIONS_MAX)
      throw limitExceeded(
        `A managed policy can have up to ${POLICY_VERSIONS_MAX} versions. Before you create a new version, you must delete an existing version.`,
      );
    const version = policy.last_version + 1;
    await insertVersion(tx, { policy_id: policy.policy_id, version, document, created_at: now });
    await updatePolicy(tx, {
      ...policy,
      last_version: version,
      default_version: input.SetAsDefault === true ? version : policy.default_version,
      updated_at: now,
    });
    return {
      PolicyVersion: {
        VersionId: `v${version}`,
        IsDefaultVersion: input.SetAsDefault === true,
        CreateDate: toDate(now),
      },
    };
  });
}

export async function getPolicyVersion(
  state: IamState,
  input: Input<Client, "GetPolicyVersion">,
  { account }: RequestContext,
): Promise<Output<Client, "GetPolicyVersion">> {
  const aws = managedPolicy(input.PolicyArn ?? "");
  const found = aws
    ? { version: aws.version, isDefault: true, document: aws.document, createdAt: aws.updatedAt }
    : await ownVersion(state.database, account, input.PolicyArn, input.VersionId);
  if (input.VersionId !== `v${found.version}`) throw noSuchVersion(input.PolicyArn, input.VersionId);
  return {
    PolicyVersion: {
      Document: encodeDocument(found.document),
      VersionId: `v${found.version}`,
      IsDefaultVersion: found.isDefault,
      CreateDate: toDate(found.createdAt),
    },
  };
}

/** Newest first. */
export async function listPolicyVersions(
  state: IamState,
  input: Input<Client, "ListPolicyVersions">,
  { account }: RequestContext,
): Promise<Output<Client, "ListPolicyVersions">> {
  const aws = managedPolicy(input.PolicyArn ?? "");
  if (aws)
    return {
      Versions: [{ VersionId: `v${aws.version}`, IsDefaultVersion: true, CreateDate: toDate(aws.updatedAt) }],
      IsTruncated: false,
    };
  const policy = await requirePolicy(state.database, account, input.PolicyArn);
  const versions = await listVersions(state.database, policy.policy_id);
  const { items, truncation } = pageOf(
    versions,
    (row: PolicyVersionRow) => String(Number.MAX_SAFE_INTEGER - row.version),
    input,
  );
  return { Versions: items.map((row) => toSummary(policy, row)), ...truncation };
}

export async function deletePolicyVersion(
  state: IamState,
  input: Input<Client, "DeletePolicyVersion">,
  { account }: RequestContext,
): Promise<object> {
  await change(state, async (tx) => {
    const policy = await requirePolicy(tx, account, input.PolicyArn);
    const found = await ownVersion(tx, account, input.PolicyArn, input.VersionId);
    if (found.isDefault) throw deleteConflict("Cannot delete the default version of a policy.");
    await deleteVersion(tx, policy.policy_id, found.version);
  });
  return {};
}

export async function setDefaultPolicyVersion(
  state: IamState,
  input: Input<Client, "SetDefaultPolicyVersion">,
  { account }: RequestContext,
): Promise<object> {
  await change(state, async (tx) => {
    const policy = await requirePolicy(tx, account, input.PolicyArn);
    const { version } = await ownVersion(tx, account, input.PolicyArn, input.VersionId);
    await updatePolicy(tx, { ...policy, default_version: version, updated_at: state.clock.now() });
  });
  return {};
}

async function requirePolicy(reader: Reader, account: string, arn: string | undefined): Promise<PolicyRow> {
  const policy = await findPolicy(reader, account, arn ?? "");
  if (!policy) throw noSuchEntity(`Policy ${arn} was not found.`);
  return policy;
}

async function ownVersion(
  reader: Reader,
  account: string,
  arn: string | undefined,
  versionId: string | undefined,
) {
  const policy = await requirePolicy(reader, account, arn);
  const version = Number(/^v(\d{1,9})/.exec(versionId ?? "")?.[1]);
  const row = Number.isNaN(version) ? undefined : await getVersion(reader, policy.policy_id, version);
  if (!row) throw noSuchVersion(arn, versionId);
  const isDefault = row.version === policy.default_version;
  return { version: row.version, isDefault, document: row.document, createdAt: row.created_at };
}

function noSuchVersion(arn: string | undefined, versionId: string | undefined) {
  return noSuchEntity(`Policy ${arn} version ${versionId} does not exist or is not attachable.`);
}

function toSummary(policy: PolicyRow, row: PolicyVersionRow): PolicyVersion {
  return {
    VersionId: `v${row.version}`,
    IsDefaultVersion: row.version === policy.default_version,
    CreateDate: toDate(row.created_at),
  };
}
