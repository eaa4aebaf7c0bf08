/**
 * The policy of a form: until when, and under which conditions, whoever has the form may upload by it. Pure.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
import type { AwsError } from "../../../aws/errors.ts";
import { s3Error } from "../errors.ts";
import type { Fields } from "./fields.ts";

export interface PostPolicy {
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly conditions: readonly Condition[];
}

/** As it is written, and as it is shown where it does not hold. */
type Condition = readonly [operator: string, first: unknown, second: unknown];

/** How many bytes the file may have. */
export interface SizeRange {
  readonly min: number;
  readonly max: number;
}

const EXPIRATION = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const OPERATORS: ReadonlySet<string> = new Set(["eq", "starts-with", "content-length-range"]);
/** Fields that no condition has to name. */
const UNCONDITIONAL: ReadonlySet<string> = new Set([
  "policy",
  "x-amz-signature",
  "signature",
  "awsaccesskeyid",
]);
const IGNORED = "x-ignore-";

/** @param text Base64, as the form has it. @throws InvalidPolicyDocument */
export function parsePostPolicy(text: string): PostPolicy {
  const { expiration, conditions, ...others } = parseJson(text);
  const [unexpected] = Object.keys(others);
  if (unexpected !== undefined) throw invalid(`Unexpected: '${unexpected.toLowerCase()}'`);
  if (expiration === undefined) throw invalid("Policy missing expiration.");
  if (typeof expiration !== "string" || !EXPIRATION.test(expiration) || Number.isNaN(Date.parse(expiration)))
    throw invalid(
      `Invalid 'expiration' value: '${typeof expiration === "string" ? expiration : JSON.stringify(expiration)}'`,
    );
  if (conditions === undefined) throw invalid("Policy missing conditions.");
  if (!Array.isArray(conditions)) throw invalid("Invalid 'conditions' value: must be a List.");
  return { expiresAt: Date.parse(expiration), conditions: conditions.map(parseCondition) };
}

/**
 * Holds a form against its policy. What the file's size may be is answered, since the file has not come yet.
 * @param bucket The one that the form is sent to. @param now Epoch milliseconds. @throws AccessDenied
 */
export function checkPostPolicy(policy: PostPolicy, fields: Fields, bucket: string, now: number): SizeRange {
  if (now > policy.expiresAt) throw denied("Policy expired.");
  const size = { min: 0, max: Number.POSITIVE_INFINITY };
  const named = new Set<string>();
  for (const condition of policy.conditions) {
    const [operator, first, second] = condition;
    if (operator.toLowerCase() === "content-length-range") {
      const [min, max] = [bound(first), bound(second)];
      if (Number.isNaN(min) || Number.isNaN(max)) throw failed(condition);
      size.min = Math.max(size.min, min);
      size.max = Math.min(size.max, max);
      continue;
    }
    const name = nameOf(first);
    const actual = name === "bucket" ? bucket : name && fields.get(name)?.value;
    if (name === undefined || actual === undefined) throw failed(condition);
    if (!holds(operator.toLowerCase(), name, actual, String(second))) throw failed(condition);
    named.add(name);
  }
  const extra = [...fields].filter(
    ([name]) => !named.has(name) && !UNCONDITIONAL.has(name) && !name.startsWith(IGNORED),
  );
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.map(([, { name }]) => name).join(", ")}`);
  return size;
}

function parseJson(text: string): Record<string, unknown> {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64").replace(/=+$/, "") !== text.trim().replace(/=+$/, ""))
    throw invalid("invalid Base64 encoding.");
  let read: unknown;
  try {
    read = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw invalid("Invalid JSON.");
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) throw invalid("Invalid JSON.");
  return read as Record<string, unknown>;
}

function parseCondition(written: unknown): Condition {
  if (Array.isArray(written)) return parseList(written);
  if (typeof written !== "object" || written === null)
    throw invalid("Invalid condition: must be a List or Object.");
  const [only, ...others] = Object.entries(written);
  if (!only || others.length > 0)
    throw invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.");
  const [name, value] = only as [string, unknown];
  if (value === null) throw invalid("Invalid JSON.");
  if (typeof value !== "string") throw invalid("Invalid Simple-Condition: value must be a string.");
  return ["eq", `$${name}`, value];
}

function parseList([operator, first, second, ...more]: readonly unknown[]): Condition {
  if (typeof operator !== "string") throw invalid("Invalid Condition: missing operation identifier.");
  const known = operator.toLowerCase();
  if (!OPERATORS.has(known)) throw invalid(`Invalid Condition: unknown operation '${operator}'.`);
  if (first === undefined || second === undefined || more.length > 0)
    throw invalid(`Invalid ${known}: wrong number of arguments.`);
  const isText = typeof first === "string" && typeof second === "string";
  if (known === "content-length-range" ? !isBound(first) || !isBound(second) : !isText)
    throw invalid("Invalid JSON.");
  return [operator, first, second];
}

function isBound(value: unknown): boolean {
  return typeof value === "string" || Number.isSafeInteger(value);
}

function bound(value: unknown): number {
  if (typeof value === "number") return value;
  return /^-?\d{1,15}$/.test(String(value)) ? Number(value) : Number.NaN;
}

/** The field that a condition names; undefined where it names none. */
function nameOf(first: unknown): string | undefined {
  const text = String(first);
  return text.startsWith("$") ? text.slice(1).toLowerCase() : undefined;
}

function holds(operator: string, name: string, actual: string, expected: string): boolean {
  if (operator === "eq") return actual === expected;
  // Each of several content types has to be as the condition says.
  const values = name === "content-type" ? actual.split(",") : [actual];
  return values.every((value) => value.trim().startsWith(expected) || value.startsWith(expected));
}

function invalid(text: string): AwsError {
  return s3Error("InvalidPolicyDocument", {}, `Invalid Policy: ${text}`);
}

function denied(text: string): AwsError {
  return s3Error("AccessDenied", {}, `Invalid according to Policy: ${text}`);
}

function failed([operator, first, second]: Condition): AwsError {
  const shown = [operator, first, second].map((one) => JSON.stringify(one)).join(", ");
  return denied(`Policy Condition failed: [${shown}]`);
}
