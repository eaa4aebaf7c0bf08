/**
 * GetResourcePolicy, PutResourcePolicy, DeleteResourcePolicy: the policy of a function, a version or an alias as a whole document; the
 * same that AddPermission adds to. A policy that lets everyone in is taken: AWS refuses one (PublicPolicyException) only where the account
 * blocks public access, and this API has no operation that would.
 */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Lambda } from "../deps.ts";
import { invalidParameter, notFound, staleRevision } from "../errors.ts";
import { denied, findVersion } from "../lookup.ts";
import { LATEST, functionArn, policyQualifier, readFunctionName } from "../names.ts";
import type { FunctionReference } from "../names.ts";
import { policyDocument, readDocument } from "../policy.ts";
import { deleteStatements, readPolicy, replacePolicy } from "../store-permissions.ts";
import { revisionOf, touch } from "./permissions.ts";

export async function getResourcePolicy(
  lambda: Lambda,
  input: Input<Client, "GetResourcePolicy">,
  context: RequestContext,
): Promise<Output<Client, "GetResourcePolicy">> {
  const reference = readResource(input.ResourceArn, context);
  const found = await findVersion(lambda.database, reference);
  const document = await readPolicy(lambda.database, reference, policyQualifier(reference.qualifier));
  if (document === undefined) throw noPolicy();
  return { Policy: document, RevisionId: revisionOf(found) };
}

/** Replaces whatever policy there is. */
export async function putResourcePolicy(
  lambda: Lambda,
  input: Input<Client, "PutResourcePolicy">,
  context: RequestContext,
): Promise<Output<Client, "PutResourcePolicy">> {
  const reference = changeable(input.ResourceArn, context);
  const arn = functionArn(reference, reference.qualifier);
  const policy = readDocument(input.Policy ?? "", lambda.policies, arn);
  const fault = await lambda.policies.principalFault(input.Policy ?? "", reference.account);
  if (fault !== undefined) throw invalidParameter(`The policy is not valid: ${fault}`);
  return lambda.database.tx(async (tx) => {
    const found = await findVersion(tx, reference);
    if (input.RevisionId !== undefined && input.RevisionId !== revisionOf(found))
      throw staleRevision("GetResourcePolicy");
    await replacePolicy(tx, reference, policyQualifier(reference.qualifier), policy);
    const RevisionId = await touch(lambda, tx, reference, found);
    return { Policy: policyDocument(policy.statements, policy.head), RevisionId };
  });
}

export async function deleteResourcePolicy(
  lambda: Lambda,
  input: Input<Client, "DeleteResourcePolicy">,
  context: RequestContext,
): Promise<object> {
  const reference = changeable(input.ResourceArn, context);
  const qualifier = policyQualifier(reference.qualifier);
  await lambda.database.tx(async (tx) => {
    const found = await findVersion(tx, reference);
    if ((await readPolicy(tx, reference, qualifier)) === undefined) throw noPolicy();
    if (input.RevisionId !== undefined && input.RevisionId !== revisionOf(found))
      throw staleRevision("GetResourcePolicy");
    await deleteStatements(tx, reference, qualifier);
    await touch(lambda, tx, reference, found);
  });
  return {};
}

/** The front door has seen that it is the ARN of a function, a version or an alias. */
function readResource(arn: string | undefined, context: RequestContext): FunctionReference {
  const reference = readFunctionName(arn ?? "", undefined, context);
  if (reference.account !== context.account) throw denied(reference, context);
  return reference;
}

function changeable(arn: string | undefined, context: RequestContext): FunctionReference {
  const reference = readResource(arn, context);
  if (reference.qualifier === LATEST)
    throw invalidParameter("We currently do not support adding policies for $LATEST.");
  return reference;
}

function noPolicy(): Error {
  return notFound("No policy is associated with the given resource.");
}
