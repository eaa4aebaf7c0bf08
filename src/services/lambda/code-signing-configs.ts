/** Code signing configurations by their ARNs, as requests name them and answers describe them. */
import type { CodeSigningConfig } from "@aws-sdk/client-lambda";
import { AwsError } from "../../aws/errors.ts";
import type { RequestContext } from "../../aws/service.ts";
import type { Reader } from "../../store/database.ts";
import { dateText } from "./describe.ts";
import { notAuthorized, notFound } from "./errors.ts";
import type { FunctionId } from "./names.ts";
import { configOfFunction, readConfig } from "./store-code-signing.ts";
import type { CodeSigningConfigId, CodeSigningConfigRow } from "./store-code-signing.ts";

const ARN = /^arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):code-signing-config:(csc-[a-z0-9]{17})$/;

export function configArn({ account, region, id }: CodeSigningConfigId): string {
  return `arn:aws:lambda:${region}:${account}:code-signing-config:${id}`;
}

/** Of any account and region; undefined for what is no such ARN. */
export function readConfigArn(arn: string): CodeSigningConfigId | undefined {
  const [, region, account, id] = ARN.exec(arn) ?? [];
  if (region === undefined || account === undefined || id === undefined) return undefined;
  return { account, region, id };
}

/** @throws ResourceNotFoundException; AccessDeniedException for another account's. */
export async function findConfig(
  reader: Reader,
  arn: string,
  context: RequestContext,
): Promise<CodeSigningConfigRow> {
  const row = await ownConfig(reader, arn, context);
  if (!row) throw notFound(`The Lambda code signing configuration ${arn} can not be found.`);
  return row;
}

/** The same, as a member of a request about a function. @throws CodeSigningConfigNotFoundException. */
export async function findNamedConfig(
  reader: Reader,
  arn: string,
  context: RequestContext,
): Promise<CodeSigningConfigRow> {
  const row = await ownConfig(reader, arn, context);
  if (row) return row;
  throw new AwsError(
    "CodeSigningConfigNotFoundException",
    `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${arn}.`,
    { Type: "User" },
  );
}

/** A function's; undefined where it has none. */
export async function configOf(
  reader: Reader,
  { account, region, name }: FunctionId,
): Promise<CodeSigningConfigRow | undefined> {
  const id = await configOfFunction(reader, { account, region, name });
  return id === undefined ? undefined : readConfig(reader, { account, region, id });
}

export function describeConfig(row: CodeSigningConfigRow): CodeSigningConfig {
  return {
    CodeSigningConfigId: row.id,
    CodeSigningConfigArn: configArn(row),
    Description: row.description,
    AllowedPublishers: { SigningProfileVersionArns: [...row.publishers] },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: row.untrusted },
    LastModified: dateText(row.lastModified),
  };
}

async function ownConfig(
  reader: Reader,
  arn: string,
  context: RequestContext,
): Promise<CodeSigningConfigRow | undefined> {
  const id = readConfigArn(arn);
  if (id && id.account !== context.account) throw notAuthorized(arn, context, context.operation);
  return id && id.region === context.region ? readConfig(reader, id) : undefined;
}
