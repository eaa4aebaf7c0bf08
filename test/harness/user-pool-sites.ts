/** Pools with a domain, and a browser that visits their pages. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { CreateUserPoolDomainCommand } from "@aws-sdk/client-cognito-identity-provider";
import type {
  CreateUserPoolClientCommandInput,
  CreateUserPoolCommandInput,
} from "@aws-sdk/client-cognito-identity-provider";
import type { TestPool, UserPoolsSetting } from "./user-pools.ts";

export const CALLBACK = "https://app.example.com/callback";
export const Password = "Passw0rd!";
let domains = 0;

export interface Site extends TestPool {
  readonly host: string;
  readonly domain: string;
  readonly endpoint: string;
}

interface Visit {
  readonly form?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

/** A pool with a domain, and an application that may sign its users in. */
export async function makeSite(
  setting: UserPoolsSetting,
  own: Partial<CreateUserPoolClientCommandInput> = {},
  settings: Partial<CreateUserPoolCommandInput> = {},
): Promise<Site> {
  const pool = await setting.pool(settings, {
    AllowedOAuthFlowsUserPoolClient: true,
    AllowedOAuthFlows: ["code", "implicit"],
    AllowedOAuthScopes: ["openid", "email", "profile"],
    CallbackURLs: [CALLBACK],
    LogoutURLs: ["https://app.example.com/bye"],
    SupportedIdentityProviders: ["COGNITO"],
    ...own,
  });
  domains += 1;
  const domain = `site-${domains}`;
  await setting.client.send(new CreateUserPoolDomainCommand({ Domain: domain, UserPoolId: pool.id }));
  const { endpoint } = setting.server;
  return { ...pool, domain, endpoint, host: `${domain}.auth.us-east-1.localhost` };
}

/** What a browser gets, which keeps cookies and follows nothing. @param host Of the domain; undefined for the server's own. */
export function browser({ host, endpoint }: { readonly host?: string; readonly endpoint: string }) {
  const cookies = new Map<string, string>();
  return async (path: string, { form, headers = {} }: Visit = {}) => {
    const { hostname, port } = new URL(endpoint);
    const body = form && new URLSearchParams(form).toString();
    const sent = request({
      hostname,
      port,
      path,
      method: form ? "POST" : "GET",
      headers: {
        host: `${host ?? hostname}:${port}`,
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        ...(form && { "content-type": "application/x-www-form-urlencoded" }),
        ...headers,
      },
    });
    sent.end(body);
    const { promise, resolve, reject } = Promise.withResolvers<import("node:http").IncomingMessage>();
    sent.once("response", resolve).once("error", reject);
    const response = await promise;
    for (const one of response.headers["set-cookie"] ?? []) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(one) ?? [];
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    const { location = "" } = response.headers;
    return {
      status: response.statusCode ?? 0,
      location,
      body: await text(response),
      headers: response.headers,
    };
  };
}
export type Browser = ReturnType<typeof browser>;

export const asked = ({ clientId }: TestPool, more: Record<string, string> = {}) =>
  new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: CALLBACK,
    state: "s1",
    scope: "openid email",
    ...more,
  }).toString();

/** The hidden fields of a page's form. */
export const hidden = (page: string) =>
  Object.fromEntries(
    [...page.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = "", value = ""]) => [
      name,
      value,
    ]),
  );

/** Signs in on the page; answers where the browser is sent then. */
export async function signIn(visit: Browser, query: string, username: string, password = Password) {
  const sent = await visit(`/oauth2/authorize?${query}`);
  assert.match(sent.location, /^\/login\?/);
  const { body } = await visit(sent.location);
  return visit(sent.location, { form: { ...hidden(body), username, password } });
}
export const codeOf = (location: string) => new URL(location).searchParams.get("code") ?? "";
export interface TokenAnswer {
  readonly status: number;
  readonly access_token?: string;
  readonly id_token?: string;
  readonly refresh_token?: string;
  readonly error?: string;
}

export async function exchange(
  visit: Browser,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<TokenAnswer> {
  const { status, body } = await visit("/oauth2/token", { form, headers });
  return { ...(JSON.parse(body) as object), status };
}
