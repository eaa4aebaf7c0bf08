/** PutResourcePolicy, DescribeResourcePolicies and DeleteResourcePolicy: which services may write to an account's groups. */
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { PolicyStatement } from "../../../aws/resource-policies.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { invalidParameter } from "../lookup.ts";
import type { LogsState } from "../state.ts";
import { deletePolicy, listPolicies, putPolicy } from "../store-policies.ts";
import type { PolicyRow } from "../store-policies.ts";
import { pageOf } from "./paging.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

/** Of an account in a region, as by AWS. */
const POLICIES_MAX = 10;

export async function putResourcePolicy(
  state: LogsState,
  input: Input<Client, "PutResourcePolicy">,
  { account, region }: RequestContext,
): Promise<Output<Client, "PutResourcePolicy">> {
  refuseResource(input, "PutResourcePolicy");
  const { policyName: name, policyDocument: document } = input;
  if (name === undefined || document === undefined)
    throw invalidParameter("A resource policy needs a policyName and a policyDocument.");
  checkDocument(state, document);
  const row = { account, region, name, document, changed_at: state.clock.now() };
  await state.database.tx(async (tx) => {
    const known = await listPolicies(tx, account, region);
    if (known.length >= POLICIES_MAX && !known.some((one) => one.name === name))
      throw new AwsError("LimitExceededException", "Resource limit exceeded.");
    await putPolicy(tx, row);
  });
  return { resourcePolicy: shown(row) };
}

export async function describeResourcePolicies(
  state: LogsState,
  input: Input<Client, "DescribeResourcePolicies">,
  { account, region }: RequestContext,
): Promise<Output<Client, "DescribeResourcePolicies">> {
  refuseResource(input, "DescribeResourcePolicies");
  if (input.policyScope === "RESOURCE")
    throw notImplemented("policyScope RESOURCE of DescribeResourcePolicies");
  const rows = await listPolicies(state.database, account, region);
  const { page, ...more } = pageOf(rows, input, ({ name }) => name);
  return { resourcePolicies: page.map(shown), ...more };
}

export async function deleteResourcePolicy(
  state: LogsState,
  input: Input<Client, "DeleteResourcePolicy">,
  { account, region }: RequestContext,
): Promise<object> {
  refuseResource(input, "DeleteResourcePolicy");
  const { policyName: name = "" } = input;
  await state.database.tx(async (tx) => {
    if (!(await deletePolicy(tx, account, region, name)))
      throw new AwsError("ResourceNotFoundException", `Policy with name [${name}] does not exist.`);
  });
  return {};
}

function shown({ name, document, changed_at }: PolicyRow) {
  return { policyName: name, policyDocument: document, lastUpdatedTime: changed_at };
}

interface OfResource {
  readonly resourceArn?: string | undefined;
  readonly expectedRevisionId?: string | undefined;
}

function refuseResource({ resourceArn, expectedRevisionId }: OfResource, operation: string): void {
  if (resourceArn !== undefined) throw notImplemented(`resourceArn of ${operation}`);
  if (expectedRevisionId !== undefined) throw notImplemented(`expectedRevisionId of ${operation}`);
}

/** @throws AwsError for what is no policy, and for one that says something of others than services: they are asked by their own policies */
function checkDocument({ policies }: LogsState, document: string): void {
  let statements: readonly PolicyStatement[];
  try {
    ({ statements } = policies.parse(document));
  } catch (error) {
    throw invalidParameter(`The policy document is not valid: ${(error as Error).message}`);
  }
  if (!statements.every(isOfServices))
    throw notImplemented("principals other than services in the policyDocument of PutResourcePolicy");
}

function isOfServices({ effect, principals, notPrincipals }: PolicyStatement): boolean {
  if (notPrincipals !== undefined || principals === undefined) return false;
  if (principals === "*") return effect === "Allow";
  return Object.keys(principals).every((kind) => kind === "Service");
}
