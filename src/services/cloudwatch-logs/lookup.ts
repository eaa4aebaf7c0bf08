/** Finds the group or stream that a request names, with AWS's errors. */
import { AwsError } from "../../aws/errors.ts";
import type { RequestContext } from "../../aws/service.ts";
import type { Reader } from "../../store/database.ts";
import { compileValuePattern, FilterPatternError } from "./filter-pattern/index.ts";
import type { FilterPattern, ValuePattern } from "./filter-pattern/index.ts";
import { DAY_MS } from "./limits.ts";
import { getGroup, getStream } from "./store.ts";
import type { GroupRow, StreamRow } from "./store.ts";

export function invalidParameter(message: string): AwsError {
  return new AwsError("InvalidParameterException", message);
}

export function noSuchGroup(): AwsError {
  return new AwsError("ResourceNotFoundException", "The specified log group does not exist.");
}

export function groupArn(account: string, region: string, name: string): string {
  return `arn:aws:logs:${region}:${account}:log-group:${name}`;
}

/** The group's name in a name or ARN (with or without `:*`); undefined for an ARN of another account or region. */
export function groupNameOf(identifier: string, { account, region }: RequestContext): string | undefined {
  if (!identifier.startsWith("arn:")) return identifier;
  const match = /^arn:aws:logs:([^:]*):(\d{12}):log-group:([^:]+)(?::\*)?$/.exec(identifier);
  return match?.[1] === region && match[2] === account ? match[3] : undefined;
}

/** @throws AwsError */
export async function requireGroup(
  reader: Reader,
  context: RequestContext,
  named: { logGroupName?: string | undefined; logGroupIdentifier?: string | undefined },
): Promise<GroupRow> {
  const { logGroupName, logGroupIdentifier } = named;
  if (logGroupName !== undefined && logGroupIdentifier !== undefined)
    throw invalidParameter("LogGroup name and LogGroup ARN are mutually exclusive parameters.");
  const name = logGroupName ?? (logGroupIdentifier && groupNameOf(logGroupIdentifier, context));
  if (logGroupName === undefined && logGroupIdentifier === undefined)
    throw invalidParameter("LogGroup name or LogGroup ARN needs to be specified.");
  const group = name ? await getGroup(reader, context.account, context.region, name) : undefined;
  if (!group) throw noSuchGroup();
  return group;
}

/** @throws AwsError */
export async function requireStream(reader: Reader, group: GroupRow, name: string): Promise<StreamRow> {
  const stream = await getStream(reader, group.group_id, name);
  if (!stream) throw new AwsError("ResourceNotFoundException", "The specified log stream does not exist.");
  return stream;
}

/** Events before this time have expired; 0 where they never do. */
export function expiryOf(group: GroupRow, now: number): number {
  return group.retention_days === null ? 0 : now - group.retention_days * DAY_MS;
}

/** @throws AwsError InvalidParameterException */
export function readPattern(text: string | undefined): FilterPattern {
  return readValuePattern(text).matches;
}

/** The same with what the pattern extracts. @throws AwsError InvalidParameterException */
export function readValuePattern(text: string | undefined): ValuePattern {
  try {
    return compileValuePattern(text ?? "");
  } catch (error) {
    if (error instanceof FilterPatternError) throw invalidParameter(error.message);
    throw error;
  }
}

/** A token that only we can read again: any JSON value. */
export function writeToken(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** @throws AwsError where it is not ours; `isOurs` checks its shape. */
export function readToken<T>(token: string, isOurs: (value: unknown) => value is T): T {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    if (isOurs(value)) return value;
  } catch {
    // Answered below.
  }
  throw invalidParameter("The specified nextToken is invalid.");
}
