/** GetAuthorizationToken, DescribeRegistry, GetAccountSetting and PutAccountSetting. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Ecr } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { registryHost } from "../names.ts";
import type { Registry } from "../names.ts";
import { getSetting, putSetting } from "../store.ts";
import { TOKEN_USER, newToken } from "../token.ts";

/** Whether layers of one repository can be given to another of the registry. */
const BLOB_MOUNTING = "BLOB_MOUNTING";
const OTHER_SETTINGS: readonly string[] = ["BASIC_SCAN_TYPE_VERSION", "REGISTRY_POLICY_SCOPE"];

export async function getAuthorizationToken(
  ecr: Ecr,
  input: Input<Client, "GetAuthorizationToken">,
  context: RequestContext,
): Promise<Output<Client, "GetAuthorizationToken">> {
  const { password, expiresAt } = await newToken(ecr, context);
  const { protocol, host } = new URL(context.endpoint);
  // The server's own name is enough for the caller's registry: the token tells which one that is.
  const hosts = input.registryIds?.map((account) =>
    account === context.account ? host : registryHost({ account, region: context.region }, context.endpoint),
  ) ?? [host];
  return {
    authorizationData: hosts.map((one) => ({
      authorizationToken: Buffer.from(`${TOKEN_USER}:${password}`).toString("base64"),
      expiresAt: new Date(expiresAt),
      proxyEndpoint: `${protocol}//${one}`,
    })),
  };
}

/** Nothing is replicated. */
export function describeRegistry(
  _ecr: Ecr,
  _input: Input<Client, "DescribeRegistry">,
  { account }: RequestContext,
): Output<Client, "DescribeRegistry"> {
  return { registryId: account, replicationConfiguration: { rules: [] } };
}

export async function getAccountSetting(
  ecr: Ecr,
  input: Input<Client, "GetAccountSetting">,
  context: RequestContext,
): Promise<Output<Client, "GetAccountSetting">> {
  checkName(input.name);
  return {
    name: BLOB_MOUNTING,
    value: (await mayMount(ecr, context)) ? "ENABLED" : "DISABLED",
  };
}

export async function putAccountSetting(
  ecr: Ecr,
  input: Input<Client, "PutAccountSetting">,
  context: RequestContext,
): Promise<Output<Client, "PutAccountSetting">> {
  checkName(input.name);
  const { value = "" } = input;
  if (value !== "ENABLED" && value !== "DISABLED")
    throw invalidParameter("value", `${BLOB_MOUNTING} is ENABLED or DISABLED`);
  await ecr.database.tx((tx) => putSetting(tx, context, BLOB_MOUNTING, value));
  return { name: BLOB_MOUNTING, value };
}

/** Whether a registry's repositories share layers. */
export async function mayMount(ecr: Pick<Ecr, "database">, registry: Registry): Promise<boolean> {
  return (await getSetting(ecr.database, registry, BLOB_MOUNTING)) === "ENABLED";
}

function checkName(name = ""): void {
  if (OTHER_SETTINGS.includes(name)) throw notImplemented(`the account setting ${name} of ECR`);
  if (name !== BLOB_MOUNTING) throw invalidParameter("name", `there is no account setting ${name}`);
}
