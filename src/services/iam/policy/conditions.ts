/** The condition operators of the policy language, with their quantifiers and `IfExists`. */
import type { Condition } from "./document.ts";
import { networkContains } from "./ip-address.ts";
import { arnMatches, globMatches, preparePattern } from "./match.ts";
import type { ContextValues } from "./match.ts";

type Comparison = (wanted: string, given: string) => boolean;

interface Operator {
  readonly matches: Comparison;
  /** True when none of the wanted values may match. */
  readonly negated?: boolean;
  readonly wildcards?: boolean;
}

const numeric =
  (compare: (given: number, wanted: number) => boolean): Comparison =>
  (wanted, given) => {
    const [a, b] = [toNumber(given), toNumber(wanted)];
    return !Number.isNaN(a) && !Number.isNaN(b) && compare(a, b);
  };
const dated =
  (compare: (given: number, wanted: number) => boolean): Comparison =>
  (wanted, given) => {
    const [a, b] = [toTime(given), toTime(wanted)];
    return !Number.isNaN(a) && !Number.isNaN(b) && compare(a, b);
  };
const sameText: Comparison = (wanted, given) => wanted === given;
const sameTextAnyCase: Comparison = (wanted, given) => wanted.toLowerCase() === given.toLowerCase();

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: { matches: sameText },
  StringNotEquals: { matches: sameText, negated: true },
  StringEqualsIgnoreCase: { matches: sameTextAnyCase },
  StringNotEqualsIgnoreCase: { matches: sameTextAnyCase, negated: true },
  StringLike: { matches: globMatches, wildcards: true },
  StringNotLike: { matches: globMatches, wildcards: true, negated: true },
  NumericEquals: { matches: numeric((a, b) => a === b) },
  NumericNotEquals: { matches: numeric((a, b) => a === b), negated: true },
  NumericLessThan: { matches: numeric((a, b) => a < b) },
  NumericLessThanEquals: { matches: numeric((a, b) => a <= b) },
  NumericGreaterThan: { matches: numeric((a, b) => a > b) },
  NumericGreaterThanEquals: { matches: numeric((a, b) => a >= b) },
  DateEquals: { matches: dated((a, b) => a === b) },
  DateNotEquals: { matches: dated((a, b) => a === b), negated: true },
  DateLessThan: { matches: dated((a, b) => a < b) },
  DateLessThanEquals: { matches: dated((a, b) => a <= b) },
  DateGreaterThan: { matches: dated((a, b) => a > b) },
  DateGreaterThanEquals: { matches: dated((a, b) => a >= b) },
  Bool: { matches: sameTextAnyCase },
  BinaryEquals: { matches: sameText },
  IpAddress: { matches: networkContains },
  NotIpAddress: { matches: networkContains, negated: true },
  ArnEquals: { matches: arnMatches, wildcards: true },
  ArnLike: { matches: arnMatches, wildcards: true },
  ArnNotEquals: { matches: arnMatches, wildcards: true, negated: true },
  ArnNotLike: { matches: arnMatches, wildcards: true, negated: true },
};

/**
 * Keys that AWS tells and Lambent does not. A statement that asks for one errs on the safe side: where the key is not
 * told, it never allows and always denies.
 */
const NEVER_TOLD =
  /^(aws:(resourcetag\/.*|tokenissuetime)|s3:((existingobject|bucket)tag\/.*|authtype|signatureage)|iam:resourcetag\/.*|dynamodb:(leadingkeys|attributes|(first|second|third|fourth)partitionkeyvalues)|lambda:sourcefunctionarn)$/;

/** Whether a request should have told the key and did not. */
export function isNeverTold(key: string, context: ContextValues): boolean {
  const name = key.toLowerCase();
  return context[name] === undefined && NEVER_TOLD.test(name);
}

/** Whether the text names an operator, quantifier and `IfExists` included. */
export function isConditionOperator(text: string): boolean {
  const { name, ifExists } = splitOperator(text);
  return name === "Null" ? !ifExists : Object.hasOwn(OPERATORS, name);
}

/**
 * Whether one condition holds for a request.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
 */
export function conditionHolds(condition: Condition, context: ContextValues, variables: boolean): boolean {
  const { quantifier, name, ifExists } = splitOperator(condition.operator);
  const value = context[condition.key.toLowerCase()];
  const given = value === undefined ? [] : typeof value === "string" ? [value] : value;
  if (name === "Null")
    return condition.values.some((wanted) => (wanted.toLowerCase() === "true") === (value === undefined));
  const operator = OPERATORS[name];
  if (!operator) return false;
  if (given.length === 0) {
    if (quantifier === "ForAllValues" || ifExists) return true;
    return quantifier === undefined && operator.negated === true;
  }
  const wanted = condition.values
    .map((one) => preparePattern(one, context, { wildcards: operator.wildcards === true, variables }))
    .filter((one) => one !== undefined);
  const holds = (one: string) =>
    wanted.some((pattern) => operator.matches(pattern, one)) !== (operator.negated === true);
  // Without a quantifier, a negated operator speaks of every value of the request, a plain one of any.
  const every = quantifier === "ForAllValues" || (quantifier === undefined && operator.negated === true);
  return every ? given.every(holds) : given.some(holds);
}

function splitOperator(text: string): {
  quantifier: "ForAllValues" | "ForAnyValue" | undefined;
  name: string;
  ifExists: boolean;
} {
  const match = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(text);
  return {
    quantifier: match?.[1] as "ForAllValues" | "ForAnyValue" | undefined,
    name: match?.[2] ?? "",
    ifExists: match?.[3] !== undefined,
  };
}

function toNumber(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}

/** Epoch seconds, or an ISO 8601 date. */
function toTime(text: string): number {
  return /^-?\d+(\.\d+)?$/.test(text) && text.length > 4 ? Number(text) * 1_000 : Date.parse(text);
}
