/** Reads lifecycle policies. @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html */
import { notImplemented } from "../../../aws/errors.ts";
import type { AwsError } from "../../../aws/errors.ts";
import { invalidParameter } from "../errors.ts";
import { LIFECYCLE_RULES_MAX } from "../limits.ts";

export interface LifecycleRule {
  /** Lower is applied first. */
  readonly priority: number;
  readonly tagStatus: "tagged" | "untagged" | "any";
  /** A tagged image is selected where each of them matches one of its tags. */
  readonly tagPatterns: readonly string[];
  readonly countType: "imageCountMoreThan" | "sinceImagePushed";
  /** Images, or days. */
  readonly countNumber: number;
}

type Fields = Readonly<Record<string, unknown>>;

const WILDCARDS_MAX = 4;

/** The rules in the order in which they are applied. @throws AwsError for a policy that is none, or that asks for storage classes. */
export function readLifecyclePolicy(text: string): LifecycleRule[] {
  const rules = fieldsOf(parse(text), "", ["rules"], [])["rules"];
  if (!Array.isArray(rules)) throw fault("rules is no list");
  if (rules.length === 0 || rules.length > LIFECYCLE_RULES_MAX)
    throw fault(`a policy has 1 to ${LIFECYCLE_RULES_MAX} rules`);
  const read = rules.map((rule: unknown) => readRule(rule)).sort((a, b) => a.priority - b.priority);
  if (new Set(read.map((rule) => rule.priority)).size < read.length)
    throw fault("Rules must have unique rulePriority values");
  if (read.filter((rule) => rule.tagStatus === "untagged").length > 1)
    throw fault("Only one rule can select Untagged images per storage class");
  if (read.slice(0, -1).some((rule) => rule.tagStatus === "any"))
    throw fault("Rule for tagStatus=ANY must have the lowest priority per storage class");
  return read;
}

function readRule(json: unknown): LifecycleRule {
  const rule = fieldsOf(json, "rule", ["rulePriority", "selection", "action"], ["description"]);
  const action = fieldsOf(rule["action"], "action", ["type"], ["targetStorageClass"]);
  if (action["type"] === "transition" || action["targetStorageClass"] !== undefined)
    throw notImplemented("the storage class archive of a lifecycle policy (action transition)");
  if (action["type"] !== "expire") throw notOf("action.type", action["type"], ["expire"]);
  return { priority: positive(rule["rulePriority"], "rulePriority"), ...readSelection(rule["selection"]) };
}

function readSelection(json: unknown): Omit<LifecycleRule, "priority"> {
  const selection = fieldsOf(
    json,
    "selection",
    ["tagStatus", "countType", "countNumber"],
    ["countUnit", "tagPrefixList", "tagPatternList", "storageClass"],
  );
  const { tagStatus, countType, countUnit, storageClass } = selection;
  if (
    storageClass === "archive" ||
    countType === "sinceImageTransitioned" ||
    countType === "sinceImagePulled"
  )
    throw notImplemented(`the storage class archive of a lifecycle policy (${String(countType)})`);
  if (storageClass !== undefined && storageClass !== "standard")
    throw notOf("storageClass", storageClass, ["standard"]);
  if (tagStatus !== "tagged" && tagStatus !== "untagged" && tagStatus !== "any")
    throw notOf("tagStatus", tagStatus, ["any", "tagged", "untagged"]);
  if (countType !== "imageCountMoreThan" && countType !== "sinceImagePushed")
    throw notOf("countType", countType, ["imageCountMoreThan", "sinceImagePushed"]);
  if (countType === "sinceImagePushed" ? countUnit !== "days" : countUnit !== undefined)
    throw fault("countUnit is days with sinceImagePushed, and is not there with imageCountMoreThan");
  const countNumber = positive(selection["countNumber"], "countNumber");
  return { tagStatus, tagPatterns: readPatterns(selection, tagStatus), countType, countNumber };
}

function readPatterns(selection: Fields, tagStatus: LifecycleRule["tagStatus"]): string[] {
  const prefixes = textsOf(selection["tagPrefixList"], "tagPrefixList");
  const patterns = textsOf(selection["tagPatternList"], "tagPatternList");
  const count = prefixes.length + patterns.length;
  if (prefixes.length > 0 && patterns.length > 0)
    throw fault("A rule has a tagPrefixList or a tagPatternList, not both");
  if (tagStatus === "tagged" && count === 0)
    throw fault("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED");
  if (tagStatus !== "tagged" && count > 0)
    throw fault(`Cannot specify tagPrefixList or tagPatternList when tagStatus=${tagStatus.toUpperCase()}`);
  if (patterns.some((one) => one.split("*").length - 1 > WILDCARDS_MAX))
    throw fault(`A tag pattern has at most ${WILDCARDS_MAX} wildcards`);
  return [...patterns, ...prefixes.map((prefix) => `${prefix}*`)];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw fault("Could not map policyString into LifecyclePolicy.");
  }
}

function fieldsOf(
  json: unknown,
  name: string,
  required: readonly string[],
  optional: readonly string[],
): Fields {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw fault(name === "" ? "Could not map policyString into LifecyclePolicy." : `${name} is no object`);
  const missing = required.filter((one) => !(one in json));
  if (missing.length > 0) throw fault(`object has missing required properties (${JSON.stringify(missing)})`);
  const unknown = Object.keys(json).filter((one) => !required.includes(one) && !optional.includes(one));
  if (unknown.length > 0)
    throw fault(
      `object instance has properties which are not allowed by the schema: ${JSON.stringify(unknown)}`,
    );
  return json as Fields;
}

function positive(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw fault(`${name} is no whole number`);
  if (value < 1)
    throw fault(`numeric instance is lower than the required minimum (minimum: 1, found: ${value})`);
  return value;
}

function textsOf(value: unknown, name: string): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((one) => typeof one === "string" && one !== ""))
    return value as string[];
  throw fault(`${name} is no list of texts`);
}

function notOf(name: string, value: unknown, values: readonly string[]): AwsError {
  return fault(
    `${name}: instance value (${JSON.stringify(value)}) not found in enum (possible values: ${JSON.stringify(values)})`,
  );
}

function fault(why: string): AwsError {
  return invalidParameter("LifecyclePolicyText", `Lifecycle policy validation failure: ${why}`);
}
