/** PutResourcePolicy, GetResourcePolicy and DeleteResourcePolicy, of tables and of streams. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid, resourceNotFound } from "../errors.ts";
import { findStream, setStreamPolicy } from "../store-streams.ts";
import { changeTable } from "../store.ts";
import { readStreamArn } from "../streams/names.ts";
import type { ResourcePolicy, TableDefinition } from "../tables/definition.ts";
import { placeOf } from "../tables/registry.ts";
import type { Client } from "./client.ts";

/** The largest policy, in bytes, without its white space. */
const POLICY_BYTES_MAX = 20 * 1024;
/** The revision of a resource that has no policy. */
const NO_POLICY = "NO_POLICY";

export async function putResourcePolicy(
  deps: OperationDeps,
  input: Input<Client, "PutResourcePolicy">,
  context: RequestContext,
): Promise<Output<Client, "PutResourcePolicy">> {
  const { Policy: text = "", ResourceArn: arn = "", ExpectedRevisionId: expected } = input;
  await checkPolicyText(deps, text, context);
  if (input.ConfirmRemoveSelfResourceAccess !== true) await refuseLockout(deps, arn, text, context);
  const policy = await change(deps, arn, context, (present) => {
    if (expected !== undefined && expected !== (present?.revision ?? NO_POLICY)) throw policyNotFound(arn);
    return present?.text === text ? present : { text, revision: nextRevision(deps, present) };
  });
  deps.tables.expectPolicies();
  return { RevisionId: policy?.revision };
}

export async function getResourcePolicy(
  deps: OperationDeps,
  input: Input<Client, "GetResourcePolicy">,
  context: RequestContext,
): Promise<Output<Client, "GetResourcePolicy">> {
  const arn = input.ResourceArn ?? "";
  const name = readStreamArn(arn);
  const policy = name
    ? (await findStream(deps.database, name))?.policy
    : (await tableOf(deps, arn, context)).policy;
  if (!policy) throw policyNotFound(arn);
  return { Policy: policy.text, RevisionId: policy.revision };
}

export async function deleteResourcePolicy(
  deps: OperationDeps,
  input: Input<Client, "DeleteResourcePolicy">,
  context: RequestContext,
): Promise<Output<Client, "DeleteResourcePolicy">> {
  const { ResourceArn: arn = "", ExpectedRevisionId: expected } = input;
  let revision: string | undefined;
  await change(deps, arn, context, (present) => {
    if (expected !== undefined && expected !== present?.revision) throw policyNotFound(arn);
    revision = present?.revision;
    return undefined;
  });
  return { RevisionId: revision };
}

/** @throws AwsError ValidationException for a text that is no policy, is too large, or names a user or role that does not exist */
export async function checkPolicyText(
  { policies }: Pick<OperationDeps, "policies">,
  text: string,
  { account }: Pick<RequestContext, "account">,
): Promise<void> {
  if (Buffer.byteLength(text.replaceAll(/\s/g, "")) > POLICY_BYTES_MAX)
    throw invalid(`Resource policy size exceeds the limit of ${POLICY_BYTES_MAX} bytes`);
  try {
    policies.parse(text);
  } catch (error) {
    throw invalid(`Invalid policy document: ${(error as Error).message}`);
  }
  const fault = await policies.principalFault(text, account);
  if (fault !== undefined) throw invalid(`Invalid policy document: ${fault}`);
}

/** A policy that would keep its author from changing it is only taken when they say that they know. */
async function refuseLockout(
  { policies }: OperationDeps,
  resource: string,
  text: string,
  { principal }: RequestContext,
): Promise<void> {
  const action = "dynamodb:PutResourcePolicy";
  if ((await policies.decide(text, { principal, action, resource, conditions: {} })) === "denied")
    throw invalid(
      "Resource policy would remove your own access to change it; set ConfirmRemoveSelfResourceAccess to true if that is meant",
    );
}

/** Replaces the policy of a table or stream by what `next` makes of the present one. */
async function change(
  deps: OperationDeps,
  arn: string,
  context: RequestContext,
  next: (present: ResourcePolicy | undefined) => ResourcePolicy | undefined,
): Promise<ResourcePolicy | undefined> {
  const name = readStreamArn(arn);
  if (name) return deps.database.tx((transaction) => changeOfStream(transaction, name, arn, context, next));
  const found = await tableOf(deps, arn, context);
  const changed = await deps.tables.whileChanging(found, () =>
    deps.database.tx(async (transaction) => {
      const { policy, ...table } = await deps.tables.current(transaction, found);
      const replaced = next(policy);
      return changeTable(transaction, { ...table, ...(replaced && { policy: replaced }) });
    }),
  );
  return changed.policy;
}

async function changeOfStream(
  transaction: Transaction,
  name: NonNullable<ReturnType<typeof readStreamArn>>,
  arn: string,
  { account, region }: RequestContext,
  next: (present: ResourcePolicy | undefined) => ResourcePolicy | undefined,
): Promise<ResourcePolicy | undefined> {
  const stream =
    name.account === account && name.region === region ? await findStream(transaction, name) : undefined;
  if (!stream) throw resourceNotFound(`Requested resource not found: Stream: ${arn} not found`);
  const policy = next(stream.policy);
  await setStreamPolicy(transaction, stream.id, policy);
  return policy;
}

async function tableOf(
  { tables }: OperationDeps,
  arn: string,
  context: RequestContext,
): Promise<TableDefinition> {
  if (!arn.startsWith("arn:")) throw invalid(`Invalid ResourceArn: ${arn}`);
  const table = await tables.find(placeOf(arn, context));
  if (!table || table.isDeleting)
    throw resourceNotFound(`Requested resource not found: ResourcArn: ${arn} not found`);
  return table;
}

/** AWS's are times too. */
function nextRevision({ clock }: OperationDeps, present: ResourcePolicy | undefined): string {
  return String(Math.max(clock.now(), Number(present?.revision ?? 0) + 1));
}

function policyNotFound(arn: string): AwsError {
  return new AwsError(
    "PolicyNotFoundException",
    `Resource-based policy not found for the provided ResourceArn: ${arn}`,
  );
}
