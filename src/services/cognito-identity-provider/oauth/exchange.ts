/** One request to a pool's sign-in pages or OAuth endpoints, and its answer. */
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { UserPools } from "../deps.ts";
import type { PoolClient } from "../store/clients.ts";
import type { Pool } from "../store/pools.ts";

export interface HostedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The fields of a form that was sent. */
  readonly form: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

export interface Hosted {
  readonly userPools: UserPools;
  readonly pool: Pool;
  /** What the pages' addresses begin with: nothing on a host of their own, the pool's path on the server's. */
  readonly base: string;
  readonly request: HostedRequest;
}

export interface HostedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

/** A client of a request, once it is known. */
export interface HostedClient extends Hosted {
  readonly client: PoolClient;
}

/** What an OAuth endpoint refuses, by the standard's codes. */
export class OAuthError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, description = "", status = 400) {
    super(description);
    this.code = code;
    this.status = status;
  }
}

const NO_STORE = { "cache-control": "no-store", pragma: "no-cache" };

export function json(status: number, body: object, more: Record<string, string> = {}): HostedAnswer {
  const headers = {
    "content-type": "application/json;charset=UTF-8",
    "access-control-allow-origin": "*",
    ...NO_STORE,
    ...more,
  };
  return { status, headers, body: JSON.stringify(body) };
}

export function oauthErrorAnswer({ code, message, status }: OAuthError): HostedAnswer {
  const challenge = status === 401 ? { "www-authenticate": `Bearer error="${code}"` } : {};
  return json(status, { error: code, ...(message !== "" && { error_description: message }) }, challenge);
}

export function redirect(location: string, cookies: readonly string[] = []): HostedAnswer {
  return { status: 302, headers: { location, "set-cookie": cookies, ...NO_STORE }, body: "" };
}

export function send(response: ServerResponse, { status, headers, body }: HostedAnswer): void {
  for (const [name, value] of Object.entries(headers)) if (value.length > 0) response.setHeader(name, value);
  response.writeHead(status);
  response.end(body);
}

/** The value of a cookie of the request. */
export function cookieOf({ headers }: HostedRequest, name: string): string | undefined {
  const found = (headers.cookie ?? "").split(/;\s*/).find((one) => one.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

/** A cookie for the pages alone; with no value it is taken away. */
export function cookie({ base }: Pick<Hosted, "base">, name: string, value: string, lifeMs: number): string {
  const seconds = value === "" ? 0 : Math.floor(lifeMs / 1_000);
  return `${name}=${value}; Path=${base}/; HttpOnly; SameSite=Lax; Max-Age=${seconds}`;
}
