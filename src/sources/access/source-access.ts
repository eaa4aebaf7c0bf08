/** SourceAccessConfigurations: how a mapping reaches its broker and who it is there. */
import { notImplemented } from "../../aws/errors.ts";
import { invalidParameter } from "../errors.ts";
import type { Mapping, MappingSettings } from "../mapping.ts";
import type { ExecutionRoles } from "../ports.ts";
import type { MappedFunction, SourceContext } from "../source.ts";
import { AccessError } from "./access-error.ts";
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

/**
 * Whether a source or secret is the mapping's account's, in its region. A role's own policies cannot give it what is another account's,
 * and here no policy of a cluster, broker or secret could.
 * @throws InvalidParameterValueException
 */
export function checkAccount({ account, region }: Mapping, arn: string): void {
  const [, , , itsRegion, itsAccount] = arn.split(":");
  if (itsAccount !== account || itsRegion !== region)
    throw invalidParameter(
      `${arn} is not of account ${account} in ${region}, as the event source mapping is.`,
    );
}

/** Whether each secret is of the account, the role may read it, and it is there. @throws InvalidParameterValueException */
export async function checkSecrets(
  mapping: Mapping,
  roleArn: string,
  roles: ExecutionRoles,
  secrets: Secrets,
): Promise<void> {
  for (const { Type, URI } of mapping.settings.SourceAccessConfigurations ?? []) {
    if (!URI || !Type || !SECRET_TYPES.includes(Type)) continue;
    checkAccount(mapping, URI);
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
  if (!(await roles.mayUse(roleArn, action, { arn: resourceArn })))
    throw invalidParameter(`${lacking(action, resourceArn)} (role: ${roleArn})`);
}

/**
 * The same when a mapping connects, for whichever role the function has by then.
 * @param actions On the mapping's source. @throws AccessError naming the action that the role may not.
 */
export async function checkPermissionsNow(
  { settings, eventSourceArn }: Mapping,
  context: Pick<SourceContext, "mayRole">,
  actions: readonly string[],
): Promise<void> {
  const needed =
    eventSourceArn === undefined ? [] : actions.map((action) => [action, eventSourceArn] as const);
  const secrets = (settings.SourceAccessConfigurations ?? [])
    .filter(({ Type }) => Type !== undefined && SECRET_TYPES.includes(Type))
    .map(({ URI = "" }) => ["secretsmanager:GetSecretValue", URI] as const);
  for (const [action, resourceArn] of [...needed, ...secrets])
    if (!(await context.mayRole(action, { arn: resourceArn })))
      throw new AccessError(lacking(action, resourceArn));
}

function lacking(action: string, resourceArn: string): string {
  return `The provided execution role does not have permissions to call ${action} on ${resourceArn}.`;
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
    if (error instanceof AccessError) throw invalidParameter(`${error.message}.`);
    throw error;
  }
}
