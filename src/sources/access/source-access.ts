/** SourceAccessConfigurations: how a mapping reaches its broker and who it is there. */
import { notImplemented } from "../../aws/errors.ts";
import { invalidParameter } from "../errors.ts";
import type { MappingSettings } from "../mapping.ts";
import type { ExecutionRoles } from "../ports.ts";
import type { MappedFunction } from "../source.ts";
import { SettingsFileError } from "./settings-file.ts";
import type { Secrets } from "./secrets.ts";

type Configuration = NonNullable<MappingSettings["SourceAccessConfigurations"]>[number];
export type AccessType = NonNullable<Configuration["Type"]>;

/** Functions of brokers' mappings may run so long, in seconds. https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html */
const timeoutSecondsMax = 840;
/** Types whose URI is the ARN of a secret. */
const SECRET_TYPES: readonly AccessType[] = [
  "BASIC_AUTH",
  "SASL_SCRAM_256_AUTH",
  "SASL_SCRAM_512_AUTH",
  "CLIENT_CERTIFICATE_TLS_AUTH",
  "SERVER_ROOT_CA_CERTIFICATE",
];

/** The value of a type, once. */
export function accessOf(settings: MappingSettings, type: AccessType): string | undefined {
  return settings.SourceAccessConfigurations?.find((one) => one.Type === type)?.URI;
}

/**
 * Refuses types that the kind of source does not take, those of networks and of AWS's own sign-in, and one that is said twice.
 * @param taken What the kind does take.
 */
export function checkAccessTypes(
  settings: MappingSettings,
  taken: readonly AccessType[],
  kind: string,
): void {
  const seen = new Set<AccessType>();
  for (const { Type, URI } of settings.SourceAccessConfigurations ?? []) {
    if (Type === undefined || URI === undefined)
      throw invalidParameter("Each of SourceAccessConfigurations needs a Type and a URI.");
    if (Type === "VPC_SUBNET" || Type === "VPC_SECURITY_GROUP")
      throw notImplemented(
        `SourceAccessConfigurations of type ${Type}: there are no VPCs here; brokers are reached through the network of Lambent's host. Leave it out`,
      );
    if (/^(IAM|OAUTHBEARER)_/.test(Type)) throw notImplemented(`SourceAccessConfigurations of type ${Type}`);
    if (!taken.includes(Type))
      throw invalidParameter(
        `SourceAccessConfigurations of type ${Type} are not supported for event sources of ${kind}.`,
      );
    if (seen.has(Type)) throw invalidParameter(`SourceAccessConfigurations name ${Type} more than once.`);
    seen.add(Type);
    if (SECRET_TYPES.includes(Type) && !URI.startsWith("arn:aws:secretsmanager:"))
      throw invalidParameter(`The URI of ${Type} must be the ARN of a secret in AWS Secrets Manager.`);
  }
}

/** Whether the role may read each secret, and each is there. @throws InvalidParameterValueException */
export async function checkSecrets(
  settings: MappingSettings,
  roleArn: string,
  roles: ExecutionRoles,
  secrets: Secrets,
): Promise<void> {
  for (const { Type, URI } of settings.SourceAccessConfigurations ?? []) {
    if (!URI || !Type || !SECRET_TYPES.includes(Type)) continue;
    await checkPermission(roles, roleArn, "secretsmanager:GetSecretValue", URI);
    await asParameter(secrets.read(URI, []));
  }
}

/** @throws InvalidParameterValueException naming the action that the role may not. */
export async function checkPermission(
  roles: ExecutionRoles,
  roleArn: string,
  action: string,
  resourceArn: string,
): Promise<void> {
  if (!(await roles.allows(roleArn, action, resourceArn)))
    throw invalidParameter(
      `The provided execution role does not have permissions to call ${action} on ${resourceArn}. (role: ${roleArn})`,
    );
}

/** @throws InvalidParameterValueException when the function may run longer than a broker's mapping waits. */
export function checkTimeout({ timeoutSeconds }: MappedFunction, kind: string): void {
  if (timeoutSeconds > timeoutSecondsMax)
    throw invalidParameter(
      `The function's timeout is ${timeoutSeconds} seconds; event source mappings of ${kind} support at most ${timeoutSecondsMax}.`,
    );
}

/** What is wrong with a settings file is, for who makes a mapping, a wrong parameter. */
export async function asParameter<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof SettingsFileError) throw invalidParameter(`${error.message}.`);
    throw error;
  }
}
