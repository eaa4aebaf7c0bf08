/** Names of repositories: their ARNs, where clients push to and pull from, and the host names that stand for a registry. */
import { DEFAULT_ACCOUNT } from "../../aws/index.ts";
import { AwsError } from "../../aws/errors.ts";

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
const HOST = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\./;
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
  const [, account, region] = HOST.exec(host.toLowerCase()) ?? [];
  return account !== undefined && region !== undefined ? { account, region } : undefined;
}

/**
 * The host of an account's registry, below the name by which the caller reached the server: the server's own where that is enough.
 * @param endpoint As the caller used it: `http://localhost:4566`.
 */
export function registryHost({ account, region }: Registry, endpoint: string): string {
  const { hostname, port } = new URL(endpoint);
  const own = registryOfHost(hostname) ? hostname.replace(/^\d{12}\.dkr\.ecr\.[^.]+\./, "") : hostname;
  const suffix = port === "" ? "" : `:${port}`;
  if (account === DEFAULT_ACCOUNT) return own + suffix;
  // An address has no names below it; localhost has, which most resolvers know to be this machine.
  return `${account}.dkr.ecr.${region}.${ADDRESS.test(own) ? "localhost" : own}${suffix}`;
}
