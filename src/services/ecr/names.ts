/** Names of repositories: their ARNs, where clients push to and pull from, and the host names that stand for a registry. */
import { DEFAULT_ACCOUNT } from "../../aws/index.ts";
import { AwsError } from "../../aws/errors.ts";
import type { RequestContext } from "../../aws/service.ts";
import { isOfThisMachine } from "../../sandbox/index.ts";

/** One account's registry in one region. */
export interface Registry {
  readonly account: string;
  readonly region: string;
}

export interface RepositoryId extends Registry {
  readonly name: string;
}

/** What a digest that is stored looks like. */
export const DIGEST = /^sha256:[0-9a-f]{64}$/;
export const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
export const REPOSITORY_NAME =
  /^(?=.{2,256}$)[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;

const ARN = /^arn:aws:ecr:([a-z0-9-]+):(\d{12}):repository\/(.+)$/;
const REGISTRY_LABELS = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\./;
const AWS_DOMAIN = "amazonaws.com";
const ADDRESS = /^(\d+\.){3}\d+$|^\[/;

export function repositoryArn({ account, region, name }: RepositoryId): string {
  return `arn:aws:ecr:${region}:${account}:repository/${name}`;
}

/** @throws AwsError for what is no repository's ARN. */
export function readRepositoryArn(arn: string): RepositoryId {
  const [, region, account, name] = ARN.exec(arn) ?? [];
  if (region === undefined || account === undefined || name === undefined)
    throw new AwsError(
      "InvalidParameterException",
      `Invalid parameter: the ARN '${arn}' names no repository`,
    );
  return { account, region, name };
}

/** The registry that a Host header names; undefined for the server's own name, which is the registry of whoever calls. */
export function registryOfHost(host: string): Registry | undefined {
  const [, account, region] = REGISTRY_LABELS.exec(host.toLowerCase()) ?? [];
  return account !== undefined && region !== undefined ? { account, region } : undefined;
}

/**
 * The registry that an image's reference names, where this server is it: by AWS's name for it, by one of this machine with the server's
 * port, or by the name with which the caller reached the server. Without an account in it, it is the caller's.
 * @param host Of the reference: `localhost:4566`.
 */
export function ownRegistry(
  host: string,
  { account, region, endpoint }: Pick<RequestContext, "account" | "region" | "endpoint">,
  serverPort: number,
): Registry | undefined {
  const named = registryOfHost(host);
  const server = serverOf(host);
  if (named && server === AWS_DOMAIN) return named;
  const [, port = "80"] = /:(\d+)$/.exec(server) ?? [];
  const isHere = isOfThisMachine(server) && Number(port) === serverPort;
  if (!isHere && server !== serverOf(new URL(endpoint).host)) return undefined;
  return named ?? { account, region };
}

/** AWS's name for a registry; images are kept under it, since it is the same whoever asks. */
export function awsHost({ account, region }: Registry): string {
  return `${account}.dkr.ecr.${region}.${AWS_DOMAIN}`;
}

/** A host without what names a registry. */
function serverOf(host: string): string {
  return host.toLowerCase().replace(REGISTRY_LABELS, "");
}

/**
 * The host of an account's registry, below the name by which the caller reached the server: the server's own where that is enough.
 * @param endpoint As the caller used it: `http://localhost:4566`.
 */
export function registryHost({ account, region }: Registry, endpoint: string): string {
  const { hostname, port } = new URL(endpoint);
  const own = serverOf(hostname);
  const suffix = port === "" ? "" : `:${port}`;
  if (account === DEFAULT_ACCOUNT) return own + suffix;
  // An address has no names below it; localhost has, which most resolvers know to be this machine.
  return `${account}.dkr.ecr.${region}.${ADDRESS.test(own) ? "localhost" : own}${suffix}`;
}
