/** AddPermission, RemovePermission, GetPolicy: a resource's policy by its statements; whole, in resource-policy.ts. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Client, Lambda } from "../deps.ts";
import { invalidParameter, notFound, staleRevision } from "../errors.ts";
import { findVersion, ownReference } from "../lookup.ts";
import type { Found } from "../lookup.ts";
import { LATEST, functionArn, policyQualifier } from "../names.ts";
import type { FunctionReference } from "../names.ts";
import { checkNewStatement, invalidPrincipal, newStatement, policyDocument } from "../policy.ts";
import { saveAlias } from "../store-aliases.ts";
import {
  deleteStatement,
  insertStatement,
  readHead,
  readPolicy,
  readStatements,
} from "../store-permissions.ts";
import { touchVersion } from "../store.ts";

/** Adds a statement to the policy of the function, a version or an alias, and answers it as a JSON string. */
export async function addPermission(
  lambda: Lambda,
  input: Input<Client, "AddPermission">,
  context: RequestContext,
): Promise<Output<Client, "AddPermission">> {
  const reference = ownReference(input, context);
  if (reference.qualifier === LATEST)
    throw invalidParameter("We currently do not support adding policies for $LATEST.");
  if (input.FunctionUrlAuthType !== undefined && input.Action !== "lambda:InvokeFunctionUrl")
    throw invalidParameter("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action");
  const statement = newStatement(input, functionArn(reference, reference.qualifier));
  if (await lambda.policies.principalFault(policyDocument([statement]), reference.account))
    throw invalidPrincipal();
  const qualifier = policyQualifier(reference.qualifier);
  return lambda.database.tx(async (tx) => {
    const found = await findVersion(tx, reference);
    const statements = await readStatements(tx, reference, qualifier);
    if (input.RevisionId !== undefined && input.RevisionId !== revisionOf(found))
      throw staleRevision("GetPolicy");
    checkNewStatement(statement, statements, await readHead(tx, reference, qualifier));
    await insertStatement(tx, reference, qualifier, statement);
    await touch(lambda, tx, reference, found);
    return { Statement: JSON.stringify(statement) };
  });
}

export async function removePermission(
  lambda: Lambda,
  input: Input<Client, "RemovePermission">,
  context: RequestContext,
): Promise<object> {
  const reference = ownReference(input, context);
  const qualifier = policyQualifier(reference.qualifier);
  await lambda.database.tx(async (tx) => {
    const found = await findVersion(tx, reference);
    if ((await readStatements(tx, reference, qualifier)).length === 0)
      throw notFound("No policy is associated with the given resource.");
    if (input.RevisionId !== undefined && input.RevisionId !== revisionOf(found))
      throw staleRevision("GetPolicy");
    if (!(await deleteStatement(tx, reference, qualifier, input.StatementId ?? "")))
      throw notFound(`Statement ${input.StatementId} is not found in resource policy.`);
    await touch(lambda, tx, reference, found);
  });
  return {};
}

export async function getPolicy(
  lambda: Lambda,
  input: Input<Client, "GetPolicy">,
  context: RequestContext,
): Promise<Output<Client, "GetPolicy">> {
  const reference = ownReference(input, context);
  const found = await findVersion(lambda.database, reference);
  const document = await readPolicy(lambda.database, reference, policyQualifier(reference.qualifier));
  if (document === undefined) throw notFound("The resource you requested does not exist.");
  return { Policy: document, RevisionId: revisionOf(found) };
}

/** A policy has the revision id of what it hangs on. */
export function revisionOf({ row, alias }: Found): string {
  return alias?.revision ?? row.revision;
}

/** Gives what a policy hangs on a new revision id, and answers it. */
export async function touch(
  lambda: Lambda,
  tx: Transaction,
  reference: FunctionReference,
  { row, alias }: Found,
): Promise<string> {
  const revision = lambda.ids.uuid();
  if (alias) await saveAlias(tx, reference, { ...alias, revision });
  else await touchVersion(tx, reference, row.number, revision);
  lambda.catalogue.changes(tx, reference);
  return revision;
}
