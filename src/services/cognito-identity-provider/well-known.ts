/** What verifies tokens: a pool's keys (JWKS) and discovery document, and the browser's leave to call the API. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { preflightHeaders } from "./cross-origin.ts";
import type { UserPools } from "./deps.ts";
import { hostedEndpoints } from "./oauth/host.ts";
import { domainOfPool } from "./store/oauth.ts";
import { getPool } from "./store/pools.ts";
import type { Pool } from "./store/pools.ts";
import { issuerOf } from "./tokens/issuer.ts";
import { jwkOf } from "./tokens/jwt.ts";

const PATH = /^\/([a-z0-9-]+_[0-9a-zA-Z]+)\/\.well-known\/(jwks\.json|openid-configuration)$/;
/** How long verifiers may keep keys, in seconds: a new one is found by its name, which they do not know. */
const KEYS_SECONDS = 3_600;

/** Whether a request is for one of these pages, or asks for the leave. */
export function isWellKnown(method: string | undefined, url: string, headers: IncomingHttpHeaders): boolean {
  return url.includes("/.well-known/") || isPreflight(method, url, headers);
}

/** A preflight names no service, only the header by which the request will: of the services that have it, this one has rules for browsers. */
function isPreflight(method: string | undefined, url: string, headers: IncomingHttpHeaders): boolean {
  const asked = headers["access-control-request-headers"];
  return method === "OPTIONS" && url === "/" && asked !== undefined && /x-amz-target/i.test(asked);
}

/** Answers such a request; false for one that is none. */
export function serveWellKnown(
  userPools: UserPools,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { method, headers } = request;
  const url = (request.url ?? "").split("?", 1)[0] ?? "";
  if (isPreflight(method, url, headers)) {
    response.writeHead(200, { ...preflightHeaders(headers), "content-length": "0" }).end();
    return true;
  }
  const [, poolId, page] = PATH.exec(url) ?? [];
  if (poolId === undefined || page === undefined) return false;
  if (method !== "GET" && method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end("Method not allowed\n");
    return true;
  }
  answer(userPools, poolId, page, endpointOf(headers)).then(
    (body) => send(response, body ? 200 : 404, body ?? { message: `User pool ${poolId} does not exist.` }),
    (error: unknown) => {
      userPools.log.error("A user pool's keys could not be read", { poolId, error });
      send(response, 500, { message: "Internal error" });
    },
  );
  return true;
}

function endpointOf(headers: IncomingHttpHeaders): string {
  const authority = headers.host ?? headers[":authority"];
  return `http://${typeof authority === "string" ? authority : "localhost"}`;
}

async function answer(
  userPools: UserPools,
  poolId: string,
  page: string,
  endpoint: string,
): Promise<object | undefined> {
  const pool = await getPool(userPools.database, poolId);
  if (!pool) return undefined;
  if (page === "jwks.json") return { keys: (await userPools.keys.all(poolId)).map(jwkOf) };
  return discovery(userPools, pool, endpoint);
}

async function discovery(userPools: UserPools, pool: Pool, endpoint: string): Promise<object> {
  const domain = await domainOfPool(userPools.database, pool.poolId);
  const hosted = domain === undefined ? undefined : hostedEndpoints(pool.poolId, endpoint);
  return {
    ...hosted,
    id_token_signing_alg_values_supported: ["RS256"],
    issuer: issuerOf(userPools, pool),
    jwks_uri: `${endpoint}/${pool.poolId}/.well-known/jwks.json`,
    response_types_supported: ["code", "token"],
    scopes_supported: ["openid", "email", "phone", "profile"],
    subject_types_supported: ["public"],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "access-control-allow-origin": "*",
    ...(status === 200 && { "cache-control": `public, max-age=${KEYS_SECONDS}` }),
  });
  response.end(JSON.stringify(body));
}
