/** Resource policies as documents: the statements that AddPermission makes, whole documents as PutResourcePolicy takes them. */
import { AwsError } from "../../aws/errors.ts";
import type { Input } from "../../aws/service.ts";
import type { Client } from "./deps.ts";
import { conflict, invalidParameter } from "./errors.ts";
import { POLICY_BYTES_MAX } from "./limits.ts";
import type { ResourcePolicies } from "./ports.ts";

/** As it was given, or as AddPermission makes it. */
export interface PolicyStatement {
  readonly Sid?: string;
  readonly [member: string]: unknown;
}

/** What stands around the statements of a policy. */
export interface PolicyHead {
  readonly Version: string;
  readonly Id?: string;
}

/** Of policies that began with an AddPermission. */
export const HEAD_DEFAULT: PolicyHead = { Version: "2012-10-17", Id: "default" };

/** The members of an AddPermission that make a statement. */
type Grant = Omit<Input<Client, "AddPermission">, "FunctionName">;

/** The statement of an AddPermission, members and conditions in AWS's order. */
export function newStatement(input: Grant, resource: string): PolicyStatement & { readonly Sid: string } {
  const equals = {
    ...entry("lambda:FunctionUrlAuthType", input.FunctionUrlAuthType),
    ...entry("lambda:EventSourceToken", input.EventSourceToken),
    ...entry("aws:PrincipalOrgID", input.PrincipalOrgID),
    ...entry("AWS:SourceAccount", input.SourceAccount),
  };
  const condition = {
    ...group("StringEquals", equals),
    ...group("Bool", entry("lambda:InvokedViaFunctionUrl", input.InvokedViaFunctionUrl?.toString())),
    ...group("ArnLike", entry("AWS:SourceArn", input.SourceArn)),
  };
  return {
    Sid: input.StatementId ?? "",
    Effect: "Allow",
    Principal: readPrincipal(input.Principal ?? ""),
    Action: input.Action ?? "",
    Resource: resource,
    ...(Object.keys(condition).length > 0 ? { Condition: condition } : {}),
  };
}

/** @throws ResourceConflictException for an id that is taken, PolicyLengthExceededException where the policy gets too long. */
export function checkNewStatement(
  statement: PolicyStatement,
  others: readonly PolicyStatement[],
  head: PolicyHead = HEAD_DEFAULT,
): void {
  if (others.some((one) => one.Sid === statement.Sid))
    throw conflict(
      `The statement id (${statement.Sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    );
  const bytes = Buffer.byteLength(policyDocument([...others, statement], head));
  if (bytes > POLICY_BYTES_MAX)
    throw new AwsError(
      "PolicyLengthExceededException",
      `The final policy size (${bytes}) is bigger than the limit (${POLICY_BYTES_MAX}).`,
      { Type: "User" },
    );
}

/** The whole policy document as GetPolicy answers it. */
export function policyDocument(
  statements: readonly PolicyStatement[],
  head: PolicyHead = HEAD_DEFAULT,
): string {
  return JSON.stringify({ ...head, Statement: statements });
}

/**
 * The parts of a whole document that is to be the policy of a function, a version or an alias.
 * @param policies Read the policy language. @param arn Of what the policy is for, as it is called.
 * @throws InvalidParameterValueException for what is no policy, or speaks of something else.
 */
export function readDocument(
  text: string,
  policies: Pick<ResourcePolicies, "parse">,
  arn: string,
): { head: PolicyHead; statements: PolicyStatement[] } {
  let parsed: ReturnType<ResourcePolicies["parse"]>;
  try {
    parsed = policies.parse(text);
  } catch (error) {
    throw invalidParameter(`The policy is not valid: ${(error as Error).message}`);
  }
  for (const { actions = [], notActions = [], resources, notResources } of parsed.statements) {
    const foreign = [...actions, ...notActions].find((one) => !/^(\*|lambda:[a-z*?]+)$/i.test(one));
    if (foreign !== undefined)
      throw invalidParameter(`The policy is not valid: ${foreign} is no action of Lambda.`);
    const other = (resources ?? notResources ?? []).find((one) => !mayName(one, arn));
    if (other !== undefined)
      throw invalidParameter(`The policy is not valid: the resource ${other} is not ${arn}.`);
  }
  const {
    Version = "2008-10-17",
    Id,
    Statement,
  } = JSON.parse(text) as Partial<PolicyHead> & {
    Statement: PolicyStatement | PolicyStatement[];
  };
  const head = { Version, ...(Id !== undefined && { Id }) };
  return { head, statements: Array.isArray(Statement) ? Statement : [Statement] };
}

/** Whether a resource of a statement is the function, version or alias, a version or alias of it, or a pattern that may mean it. */
function mayName(resource: string, arn: string): boolean {
  if (resource === arn || resource.startsWith(`${arn}:`)) return true;
  const literal = /^[^*?$]*/.exec(resource)?.[0] ?? "";
  return literal.length < resource.length && (arn.startsWith(literal) || literal.startsWith(`${arn}:`));
}

function readPrincipal(principal: string): "*" | { Service: string } | { AWS: string } {
  if (principal === "*") return "*";
  if (/^\d{12}$/.test(principal)) return { AWS: `arn:aws:iam::${principal}:root` };
  if (/^arn:aws[a-z-]*:(iam::\d{12}:(root|user\/.+|role\/.+)|sts::\d{12}:assumed-role\/.+)$/.test(principal))
    return { AWS: principal };
  if (/^[a-z0-9.-]+\.(amazonaws\.com|amazon\.com|amazonaws\.com\.cn)$/.test(principal))
    return { Service: principal };
  throw invalidPrincipal();
}

/** Of one that is none, or that does not exist. */
export function invalidPrincipal(): AwsError {
  return invalidParameter("The provided principal was invalid. Please check the principal and try again.");
}

function entry(key: string, value: string | undefined): Record<string, string> {
  return value === undefined || value === "" ? {} : { [key]: value };
}

function group(operator: string, keys: Record<string, string>): Record<string, Record<string, string>> {
  return Object.keys(keys).length === 0 ? {} : { [operator]: keys };
}
