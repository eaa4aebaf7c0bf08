/** Put-, Get- and DeleteProvisionedConcurrencyConfig, ListProvisionedConcurrencyConfigs */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import { checkProvisioned } from "../concurrency-rules.ts";
import type { Client, Lambda } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import {
  findAlias,
  findVersion,
  ownReference,
  requireFunction,
  requireSettled,
  unqualifiedReference,
} from "../lookup.ts";
import { LATEST, functionArn, isVersion } from "../names.ts";
import type { FunctionId, FunctionReference } from "../names.ts";
import { page, pageSize, readMarker } from "../paging.ts";
import { provisionedTargets, requireFreeVersion, unpublished } from "../provisioned-targets.ts";
import type { ProvisionedTarget } from "../provisioned-targets.ts";
import { deleteProvisioned, readClaimed, readReserved, saveProvisioned } from "../store-concurrency.ts";

/** Answers while the environments are made; a repeated request tries anew what had failed. */
export async function putProvisionedConcurrencyConfig(
  lambda: Lambda,
  input: Input<Client, "PutProvisionedConcurrencyConfig">,
  context: RequestContext,
): Promise<Output<Client, "PutProvisionedConcurrencyConfig">> {
  const { id, qualifier } = publishedReference(input, context);
  const requested = input.ProvisionedConcurrentExecutions ?? 1;
  const target = await lambda.database.tx(async (tx) => {
    const number = await findNumber(tx, id, qualifier);
    await requireUnweighted(tx, id, qualifier);
    if (number === 0) throw unpublished();
    const { row } = await findVersion(tx, { ...id, qualifier: String(number) });
    if (row.configuration.snapStart)
      throw invalidParameter("Provisioned Concurrency is not supported for SnapStart enabled functions.");
    requireSettled(row);
    const targets = await provisionedTargets(tx, id);
    requireFreeVersion(qualifier, number, targets);
    checkProvisioned(sum(targets.filter((one) => one.qualifier !== qualifier)) + requested, {
      limit: lambda.limits.concurrentExecutions,
      claimed: await readClaimed(tx, id.account, id.region),
      reserved: await readReserved(tx, id),
      provisioned: sum(targets),
    });
    const before = targets.find((one) => one.qualifier === qualifier)?.lastModified ?? 0;
    const lastModified = Math.max(lambda.clock.now(), before + 1);
    await saveProvisioned(tx, id, { qualifier, requested, lastModified });
    tx.afterCommit(() => lambda.provisioning.apply(id));
    return { qualifier, requested, lastModified, number };
  });
  return describe(lambda, id, target);
}

export async function getProvisionedConcurrencyConfig(
  lambda: Lambda,
  input: Input<Client, "GetProvisionedConcurrencyConfig">,
  context: RequestContext,
): Promise<Output<Client, "GetProvisionedConcurrencyConfig">> {
  const { id, qualifier } = publishedReference(input, context);
  await findNumber(lambda.database, id, qualifier);
  const targets = await provisionedTargets(lambda.database, id);
  const target = targets.find((one) => one.qualifier === qualifier);
  if (!target)
    throw new AwsError(
      "ProvisionedConcurrencyConfigNotFoundException",
      "No Provisioned Concurrency Config found for this function",
      { Type: "User" },
    );
  return describe(lambda, id, target);
}

/** What runs may finish; one that does not exist is deleted already. */
export async function deleteProvisionedConcurrencyConfig(
  lambda: Lambda,
  input: Input<Client, "DeleteProvisionedConcurrencyConfig">,
  context: RequestContext,
): Promise<object> {
  const { id, qualifier } = publishedReference(input, context);
  await lambda.database.tx(async (tx) => {
    await findNumber(tx, id, qualifier);
    await requireUnweighted(tx, id, qualifier);
    await deleteProvisioned(tx, id, qualifier);
    tx.afterCommit(() => lambda.provisioning.apply(id));
  });
  return {};
}

/** Those of versions and aliases, in order of qualifier. */
export async function listProvisionedConcurrencyConfigs(
  lambda: Lambda,
  input: Input<Client, "ListProvisionedConcurrencyConfigs">,
  context: RequestContext,
): Promise<Output<Client, "ListProvisionedConcurrencyConfigs">> {
  const id = unqualifiedReference(input, context);
  await requireFunction(lambda.database, id);
  const after = readMarker(input.Marker)?.name ?? "";
  const targets = (await provisionedTargets(lambda.database, id)).filter((one) => one.qualifier > after);
  const { items, ...next } = page(targets, pageSize(input.MaxItems), ({ qualifier }) => ({
    name: qualifier,
    number: 0,
  }));
  const configs = items.map((one) => ({
    FunctionArn: functionArn(id, one.qualifier),
    ...describe(lambda, id, one),
  }));
  return { ...next, ProvisionedConcurrencyConfigs: configs };
}

function sum(targets: readonly ProvisionedTarget[]): number {
  return targets.reduce((all, one) => all + one.requested, 0);
}

interface Published {
  readonly id: FunctionId;
  readonly qualifier: string;
}

/** @throws InvalidParameterValueException for anything but a version or an alias. */
function publishedReference(
  input: { readonly FunctionName?: string | undefined; readonly Qualifier?: string | undefined },
  context: RequestContext,
): Published {
  const { qualifier, ...id }: FunctionReference = ownReference(input, context);
  if (qualifier === undefined || qualifier === LATEST) throw unpublished();
  return { id, qualifier };
}

/** The version that a qualifier stands for. @throws ResourceNotFoundException. */
async function findNumber(reader: Reader, id: FunctionId, qualifier: string): Promise<number> {
  await requireFunction(reader, id);
  if (isVersion(qualifier)) return (await findVersion(reader, { ...id, qualifier })).row.number;
  return (await findAlias(reader, id, qualifier)).number;
}

/** While an alias shifts traffic between two versions, what it has provisioned stays as it is, as on AWS. */
async function requireUnweighted(reader: Reader, id: FunctionId, qualifier: string): Promise<void> {
  if (isVersion(qualifier)) return;
  const { weights } = await findAlias(reader, id, qualifier);
  if (Object.keys(weights).length > 0)
    throw invalidParameter(
      `Provisioned Concurrency of the alias ${qualifier} cannot be changed while the alias has a routing configuration.`,
    );
}

function describe(lambda: Lambda, id: FunctionId, target: ProvisionedTarget) {
  const { requested, allocated, available, status, reason } = lambda.provisioning.status(id, target);
  return {
    RequestedProvisionedConcurrentExecutions: requested,
    AllocatedProvisionedConcurrentExecutions: allocated,
    AvailableProvisionedConcurrentExecutions: available,
    Status: status,
    ...(reason === undefined ? {} : { StatusReason: reason }),
    LastModified: new Date(target.lastModified).toISOString().replace(/\.\d+Z$/, "+0000"),
  };
}
