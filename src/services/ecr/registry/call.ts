/** One request to the registry: who makes it, to which registry, and what they may do there. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Identification, OtherExchange } from "../../../aws/index.ts";
import { headerText } from "../../../aws/http/wire-request.ts";
import type { WireRequest } from "../../../aws/http/wire-request.ts";
import type { RequestContext } from "../../../aws/service.ts";
import { requirementOn } from "../authorization.ts";
import type { Ecr } from "../deps.ts";
import { noSuchRepository } from "../errors.ts";
import { checkPolicy } from "../lookup.ts";
import { REPOSITORY_NAME, registryOfHost, repositoryArn } from "../names.ts";
import type { Registry } from "../names.ts";
import { getRepository, repositoriesOfName } from "../store.ts";
import type { RepositoryRow } from "../store.ts";
import { TOKEN_USER, readToken } from "../token.ts";
import { RegistryError } from "./answer.ts";

export interface RegistryCall {
  readonly ecr: Ecr;
  readonly request: WireRequest;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly context: RequestContext;
  readonly registry: Registry;
  /** Whether the request names the registry, by its host or its token; else a repository may be of any region. */
  readonly isNamed: boolean;
}

/** @throws RegistryError for a caller who does not show who they are. */
export async function identified(
  ecr: Ecr,
  exchange: OtherExchange & Pick<RegistryCall, "incoming" | "response">,
  identify: Identification,
): Promise<RegistryCall> {
  const { request, incoming, response } = exchange;
  const named = registryOfHost(request.host);
  const token = readCredentials(ecr, request);
  const holder = {
    // Without a token, and where none is asked for, the caller is the root of the account that the host names.
    accessKeyId: token ? token.accessKeyId : ecr.authentication === "off" ? named?.account : undefined,
    region: named?.region ?? token?.region,
  };
  const context = await identify(exchange, "ecr", "registry", holder);
  const { account, region } = context;
  const registry = named ?? { account, region };
  return { ecr, request, incoming, response, context, registry, isNamed: (named ?? token) !== undefined };
}

/** What `docker login` was given; undefined for none, where none is asked for. */
function readCredentials(ecr: Ecr, request: WireRequest): ReturnType<typeof readToken> {
  const [scheme = "", text = ""] = (headerText(request.headers, "authorization") ?? "").split(" ", 2);
  const credentials = Buffer.from(text, "base64").toString();
  const at = credentials.indexOf(":");
  const isBasic = scheme.toLowerCase() === "basic" && credentials.slice(0, at) === TOKEN_USER;
  const token = isBasic ? readToken(ecr.secret, credentials.slice(at + 1)) : undefined;
  if (ecr.authentication === "off") return token;
  if (!token?.isGenuine) throw unauthorized(request);
  if (token.expiresAt <= ecr.clock.now())
    throw new RegistryError(
      "DENIED",
      403,
      "Your authorization token has expired. Reauthenticate and try again.",
    );
  return token;
}

/** Asks for credentials, as ECR does. */
export function unauthorized({ host }: WireRequest): RegistryError {
  return new RegistryError("UNAUTHORIZED", 401, "Not Authorized", {
    "www-authenticate": `Basic realm="http://${host}/",service="ecr.amazonaws.com"`,
  });
}

/**
 * The repository of a name, once the caller may perform an action on it, or the alternative.
 * @throws RegistryError; AwsError RepositoryNotFoundException, AccessDeniedException
 */
export async function repositoryOf(
  call: RegistryCall,
  name: string,
  action: string,
  alternative?: string,
): Promise<RepositoryRow> {
  if (!REPOSITORY_NAME.test(name))
    throw new RegistryError("NAME_INVALID", 400, `'${name}' is no name of a repository`);
  const repository = await find(call, name);
  if (!repository) {
    const resource = repositoryArn({ ...call.registry, name });
    await call.context.authorize?.({ action: `ecr:${action}`, resource });
    throw noSuchRepository({ account: call.registry.account, name });
  }
  await permit(call, repository, action).catch(async (error: unknown) => {
    if (alternative === undefined) throw error;
    await permit(call, repository, alternative).catch(() => {
      throw error;
    });
  });
  return repository;
}

/** @throws AwsError AccessDeniedException */
export async function permit(
  { ecr, context }: RegistryCall,
  repository: RepositoryRow,
  action: string,
): Promise<void> {
  await context.authorize?.(requirementOn(repository, `ecr:${action}`));
  await checkPolicy(ecr, repository, `ecr:${action}`, context);
}

/** A request that names no region has nothing to be held to: where one region only has such a repository, that is meant. */
async function find(
  { ecr, registry, isNamed }: RegistryCall,
  name: string,
): Promise<RepositoryRow | undefined> {
  const here = await getRepository(ecr.database, { ...registry, name });
  if (here || isNamed) return here;
  const [one, another] = await repositoriesOfName(ecr.database, registry.account, name);
  return another ? undefined : one;
}
