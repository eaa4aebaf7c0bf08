/** Resource policy statements: built from AddPermission, and evaluated for who wants to invoke. */
import { AwsError } from "../../aws/errors.ts";
import type { Input } from "../../aws/service.ts";
import type { Client } from "./deps.ts";
import { conflict, invalidParameter } from "./errors.ts";
import { POLICY_BYTES_MAX } from "./limits.ts";

export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Principal: "*" | { readonly Service: string } | { readonly AWS: string };
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Who wants to invoke: a service for a resource of an account, or an account itself. */
export type Caller =
  | { readonly service: string; readonly sourceArn: string; readonly sourceAccount: string }
  | {
      readonly account: string;
      readonly arn: string;
      /** By condition key, what else is known of the request: of a function URL's. */
      readonly conditions?: Readonly<Record<string, string>>;
    };

/** The members of an AddPermission that make a statement. */
type Grant = Omit<Input<Client, "AddPermission">, "FunctionName">;

/** The statement of an AddPermission, members and conditions in AWS's order. */
export function newStatement(input: Grant, resource: string): PolicyStatement {
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
export function checkNewStatement(statement: PolicyStatement, others: readonly PolicyStatement[]): void {
  if (others.some((one) => one.Sid === statement.Sid))
    throw conflict(
      `The statement id (${statement.Sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    );
  const bytes = Buffer.byteLength(policyDocument([...others, statement]));
  if (bytes > POLICY_BYTES_MAX)
    throw new AwsError(
      "PolicyLengthExceededException",
      `The final policy size (${bytes}) is bigger than the limit (${POLICY_BYTES_MAX}).`,
      { Type: "User" },
    );
}

/** The whole policy document as GetPolicy answers it. */
export function policyDocument(statements: readonly PolicyStatement[]): string {
  return JSON.stringify({ Version: "2012-10-17", Id: "default", Statement: statements });
}

/** Whether one of the statements lets the caller perform `lambda:InvokeFunction`. */
export function allowsInvoke(statements: readonly PolicyStatement[], caller: Caller): boolean {
  return allows(statements, "lambda:InvokeFunction", caller);
}

/** Whether one of the statements lets the caller, who may be another account's, perform an action. */
export function allows(statements: readonly PolicyStatement[], action: string, caller: Caller): boolean {
  return statements.some(
    (statement) =>
      [action, "lambda:*", "*"].includes(statement.Action) &&
      principalFits(statement.Principal, caller) &&
      conditionsHold(statement.Condition, caller),
  );
}

/**
 * What the statements grant a caller of the function's own account who is named in them (or everyone). Naming the
 * account grants nothing by itself: the caller's own policies must allow the action then.
 */
export function grantTo(
  statements: readonly PolicyStatement[],
  action: string,
  caller: { readonly arn: string; readonly roleArn?: string },
  conditions: Readonly<Record<string, string>> = {},
): "principal" | "role" | "none" {
  const names = statements.flatMap(({ Action, Principal, Condition }) => {
    if (![action, "lambda:*", "*"].includes(Action)) return [];
    if (!conditionsHold(Condition, { account: "", arn: "", conditions })) return [];
    if (Principal === "*") return ["*"];
    return "AWS" in Principal ? [Principal.AWS] : [];
  });
  if (names.includes("*") || names.includes(caller.arn)) return "principal";
  return caller.roleArn !== undefined && names.includes(caller.roleArn) ? "role" : "none";
}

function principalFits(principal: PolicyStatement["Principal"], caller: Caller): boolean {
  if (principal === "*") return true;
  if ("Service" in principal) return "service" in caller && principal.Service === caller.service;
  if ("service" in caller) return false;
  return principal.AWS === `arn:aws:iam::${caller.account}:root` || principal.AWS === caller.arn;
}

function conditionsHold(conditions: PolicyStatement["Condition"], caller: Caller): boolean {
  return Object.entries(conditions ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, value]) => conditionHolds(operator, key, value, caller)),
  );
}

/** Keys that a caller does not carry (organizations, Alexa tokens) never hold. */
function conditionHolds(operator: string, key: string, value: string, caller: Caller): boolean {
  if (!("service" in caller))
    return ["StringEquals", "Bool"].includes(operator) && caller.conditions?.[key] === value;
  if (operator === "ArnLike" && key === "AWS:SourceArn") return arnLike(value, caller.sourceArn);
  if (operator === "StringEquals" && key === "AWS:SourceAccount") return value === caller.sourceAccount;
  return false;
}

/** IAM's ArnLike: `*` and `?` within each of the six parts. */
export function arnLike(pattern: string, arn: string): boolean {
  const [patterns, parts] = [splitArn(pattern), splitArn(arn)];
  return patterns.length === parts.length && patterns.every((one, at) => like(one, parts[at] ?? ""));
}

function splitArn(arn: string): string[] {
  const parts = arn.split(":");
  return [...parts.slice(0, 5), parts.slice(5).join(":")];
}

/** Glob matching that goes back only to the last star, so that no pattern costs more than length times length. */
function like(pattern: string, text: string): boolean {
  let [at, in_, star, mark] = [0, 0, -1, 0];
  while (in_ < text.length) {
    if (pattern[at] === "*") [star, mark, at] = [at, in_, at + 1];
    else if (pattern[at] === "?" || pattern[at] === text[in_]) [at, in_] = [at + 1, in_ + 1];
    else if (star >= 0) [at, mark, in_] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}

function readPrincipal(principal: string): PolicyStatement["Principal"] {
  if (principal === "*") return "*";
  if (/^\d{12}$/.test(principal)) return { AWS: `arn:aws:iam::${principal}:root` };
  if (/^arn:aws[a-z-]*:(iam::\d{12}:(root|user\/.+|role\/.+)|sts::\d{12}:assumed-role\/.+)$/.test(principal))
    return { AWS: principal };
  if (/^[a-z0-9.-]+\.(amazonaws\.com|amazon\.com|amazonaws\.com\.cn)$/.test(principal))
    return { Service: principal };
  throw invalidParameter("The provided principal was invalid. Please check the principal and try again.");
}

function entry(key: string, value: string | undefined): Record<string, string> {
  return value === undefined || value === "" ? {} : { [key]: value };
}

function group(operator: string, keys: Record<string, string>): Record<string, Record<string, string>> {
  return Object.keys(keys).length === 0 ? {} : { [operator]: keys };
}
