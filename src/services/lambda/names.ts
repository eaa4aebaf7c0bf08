/** Function names in every form AWS takes, and the ARNs they stand for. */
import type { AwsError } from "../../aws/errors.ts";
import { failedConstraint, invalidParameter, notFound } from "./errors.ts";
import { FUNCTION_NAME_CHARS_MAX } from "./limits.ts";

export const LATEST = "$LATEST";

/** A function of one account and region. */
export interface FunctionId {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

/** A function as a request names it: `qualifier` is `$LATEST`, a version's number, an alias, or absent. */
export interface FunctionReference extends FunctionId {
  readonly qualifier: string | undefined;
}

interface Here {
  readonly account: string;
  readonly region: string;
}

const REGION = "(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\\d";
const NAME = new RegExp(
  `^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:(${REGION}):)?(?:(\\d{12}):)?(?:function:)?([a-zA-Z0-9-_.]+)(?::(\\$LATEST(?:\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$`,
);
const ARN = new RegExp(
  `^arn:aws[a-zA-Z-]*:lambda:(${REGION}):(\\d{12}):function:([a-zA-Z0-9-_]+)(?::(\\$LATEST|[a-zA-Z0-9-_]+))?$`,
);
const MAPPING_ARN = new RegExp(
  `^arn:aws[a-zA-Z-]*:lambda:(${REGION}):(\\d{12}):event-source-mapping:([0-9a-fA-F-]{36})$`,
);

/**
 * Reads FunctionName (`name`, `name:qualifier`, `123456789012:function:name`, or an ARN) together with Qualifier.
 * The region must be the request's; the account may be another one, which the caller then has to authorize.
 * @throws AwsError as AWS words it for a foreign region or two different qualifiers.
 */
export function readFunctionName(
  functionName: string,
  qualifier: string | undefined,
  here: Here,
): FunctionReference {
  const match = NAME.exec(functionName);
  if (!match) throw invalidName(functionName);
  const [, region, account, name = "", inline] = match;
  if (region !== undefined && region !== here.region)
    throw notFound(`Functions from '${region}' are not reachable in this region ('${here.region}')`);
  const given = qualifier === "" ? undefined : qualifier;
  if (inline !== undefined && given !== undefined && inline !== given)
    throw invalidParameter(
      "The derived qualifier from the function name does not match the specified qualifier.",
    );
  return { account: account ?? here.account, region: here.region, name, qualifier: inline ?? given };
}

/** Reads a full function ARN, of any account and region; undefined when it is none. */
export function readFunctionArn(arn: string): FunctionReference | undefined {
  const match = ARN.exec(arn);
  if (!match) return undefined;
  const [, region = "", account = "", name = "", qualifier] = match;
  return { account, region, name, qualifier };
}

/** Reads the ARN of an event source mapping; undefined when it is none. */
export function readMappingArn(
  arn: string,
): { readonly account: string; readonly region: string; readonly uuid: string } | undefined {
  const match = MAPPING_ARN.exec(arn);
  if (!match) return undefined;
  const [, region = "", account = "", uuid = ""] = match;
  return { account, region, uuid: uuid.toLowerCase() };
}

/** The ARN of an event source mapping, in one form always. */
export function mappingArn(mapping: {
  readonly account: string;
  readonly region: string;
  readonly uuid: string;
}): string {
  return `arn:aws:lambda:${mapping.region}:${mapping.account}:event-source-mapping:${mapping.uuid}`;
}

/** @throws ValidationException for a bare name of more than 64 characters. */
export function checkNewName(name: string): void {
  if (name.length <= FUNCTION_NAME_CHARS_MAX && !name.includes(".")) return;
  if (name.includes(".")) throw invalidName(name);
  throw failedConstraint(
    name,
    "functionName",
    `Member must have length less than or equal to ${FUNCTION_NAME_CHARS_MAX}`,
  );
}

/** The ARN, with the qualifier where one is given. */
export function functionArn(id: FunctionId, qualifier?: string): string {
  const arn = `arn:aws:lambda:${id.region}:${id.account}:function:${id.name}`;
  return qualifier === undefined ? arn : `${arn}:${qualifier}`;
}

/** Policies hang on the unqualified function, a version or an alias; `$LATEST` shares the unqualified one's. */
export function policyQualifier(qualifier: string | undefined): string {
  return qualifier === undefined || qualifier === LATEST ? "" : qualifier;
}

/** `$LATEST` and numbers are versions; every other qualifier is an alias's name. */
export function isVersion(qualifier: string): boolean {
  return qualifier === LATEST || /^\d+$/.test(qualifier);
}

export function functionNotFound(id: FunctionId, qualifier?: string): AwsError {
  return notFound(`Function not found: ${functionArn(id, qualifier)}`);
}

function invalidName(name: string): AwsError {
  return failedConstraint(
    name,
    "functionName",
    "Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?" +
      "([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?",
  );
}
