/** Serves a pool's sign-in pages and OAuth endpoints. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { AwsError } from "../../../aws/errors.ts";
import type { UserPools } from "../deps.ts";
import { requireAccess } from "../tokens/access.ts";
import { attributeClaims } from "../tokens/claims.ts";
import { PAGE_COOKIE, RedirectError, authorize, requireHostedClient } from "./authorize.ts";
import { followLink } from "./confirm-link.ts";
import { OAuthError, cookie, cookieOf, json, oauthErrorAnswer, redirect, send } from "./exchange.ts";
import type { Hosted, HostedAnswer, HostedRequest } from "./exchange.ts";
import { showSignUp, takeConfirmation, takeResend, takeSignUp } from "./join.ts";
import { showLogin, takeLogin } from "./login.ts";
import { addressOf } from "./own-form.ts";
import { textPage } from "./page.ts";
import { placeOf } from "./place.ts";
import type { Place } from "./place.ts";
import { showForgotten, takeForgotten, takeNewPassword } from "./recover.ts";
import { giveTokens, revoke } from "./token.ts";
import { takeTicket } from "../auth/tickets.ts";

const FORM_BYTES_MAX = 64 * 1024;

type Route = (hosted: Hosted) => Promise<HostedAnswer>;

const ROUTES: Readonly<Record<string, Route>> = {
  "GET /oauth2/authorize": authorize,
  "GET /login": showLogin,
  "POST /login": takeLogin,
  "GET /signup": showSignUp,
  "POST /signup": takeSignUp,
  "POST /confirmUser": takeConfirmation,
  "GET /confirmUser": followLink,
  "POST /resendcode": takeResend,
  "GET /forgotPassword": showForgotten,
  "POST /forgotPassword": takeForgotten,
  "POST /confirmForgotPassword": takeNewPassword,
  "POST /oauth2/token": giveTokens,
  "POST /oauth2/revoke": revoke,
  "GET /oauth2/userInfo": userInfo,
  "POST /oauth2/userInfo": userInfo,
  "GET /logout": logout,
};
/** Pages that AWS has besides: they are of federation and passkeys. */
const OTHER_PAGES = new Set(["/saml2/idpresponse", "/saml2/logout", "/oauth2/idpresponse", "/passkeys/add"]);
/** Those that answer programs and not people. */
const ENDPOINTS = new Set(["/oauth2/token", "/oauth2/revoke", "/oauth2/userInfo"]);

/** Answers a request for a pool's pages; false for one for something else. */
export function serveHosted(
  userPools: UserPools,
  incoming: IncomingMessage,
  response: ServerResponse,
): boolean {
  const place = placeOf(incoming.url ?? "/", incoming.headers);
  if (!place) return false;
  answer(userPools, place, incoming).then(
    (said) => send(response, said),
    (error: unknown) => {
      userPools.log.error("A sign-in page failed", { path: place.base + place.path, error });
      send(response, textPage(500, "Something went wrong", "The server's log says what."));
    },
  );
  return true;
}

async function answer(
  userPools: UserPools,
  { base, path, pool: poolOf }: Place,
  incoming: IncomingMessage,
): Promise<HostedAnswer> {
  const pool = await poolOf(userPools.database);
  if (typeof pool === "string") return textPage(404, "No such domain", pool);
  const { searchParams: query } = new URL(incoming.url ?? "/", "http://pages");
  const method = incoming.method === "HEAD" ? "GET" : (incoming.method ?? "GET");
  if (method === "OPTIONS" && ENDPOINTS.has(path)) return preflight();
  if (OTHER_PAGES.has(path))
    return textPage(501, "Not implemented", `Lambent does not implement the page ${path}.`);
  const route = ROUTES[`${method} ${path}`];
  if (!route) return textPage(404, "No such page", `There is no page ${method} ${path}.`);
  try {
    const form = method === "POST" ? await formOf(incoming) : new URLSearchParams();
    const request: HostedRequest = { method, path, query, form, headers: incoming.headers };
    return await route({ userPools, pool, base, request });
  } catch (error) {
    if (error instanceof RedirectError) return redirect(error.location);
    const known = error instanceof AwsError ? new OAuthError("invalid_request", error.message) : error;
    if (!(known instanceof OAuthError)) throw error;
    if (ENDPOINTS.has(path)) return oauthErrorAnswer(known);
    return textPage(known.status, "This request cannot be served", `${known.code}: ${known.message}`);
  }
}

/** @throws OAuthError for what is no form, or too large */
async function formOf(incoming: IncomingMessage): Promise<URLSearchParams> {
  const type = incoming.headers["content-type"] ?? "";
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > FORM_BYTES_MAX) throw new OAuthError("invalid_request", "The form is too large.", 413);
    parts.push(part);
  }
  if (bytes > 0 && !type.startsWith("application/x-www-form-urlencoded"))
    throw new OAuthError("invalid_request", "The body must be application/x-www-form-urlencoded.");
  return new URLSearchParams(Buffer.concat(parts).toString());
}

function preflight(): HostedAnswer {
  const headers = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type",
  };
  return { status: 200, headers, body: "" };
}

/** Who the bearer of an access token with the scope `openid` is. */
async function userInfo({ userPools, pool, request }: Hosted): Promise<HostedAnswer> {
  const [, token] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "") ?? [];
  const access = await requireAccess(userPools, token, "openid").catch((error: unknown) => {
    throw error instanceof AwsError ? new OAuthError("invalid_token", error.message, 401) : error;
  });
  if (access.pool.poolId !== pool.poolId) throw new OAuthError("invalid_token", "Invalid Access Token", 401);
  const claims = attributeClaims(access.user, access.client, access.scopes);
  // AWS's endpoint writes these two as texts.
  const told = Object.entries(claims).map(([name, value]) => [
    name,
    typeof value === "boolean" ? String(value) : value,
  ]);
  return json(200, { ...Object.fromEntries(told), username: access.user.username });
}

/** Signs the page out, and goes on where the client allows. */
async function logout(hosted: Hosted): Promise<HostedAnswer> {
  const { userPools, request } = hosted;
  const { query } = request;
  const client = await requireHostedClient(hosted, query.get("client_id"));
  const target = query.get("logout_uri");
  const isAgain = target === null && query.has("redirect_uri");
  if (!isAgain && !(client.settings.LogoutURLs ?? []).includes(target ?? ""))
    throw new OAuthError("invalid_request", "logout_uri is none of the client's logout URLs.");
  const page = cookieOf(request, PAGE_COOKIE);
  if (page !== undefined) await takeTicket(userPools, "page", page);
  return redirect(isAgain ? addressOf(hosted, "/login") : (target ?? ""), [
    cookie(hosted, PAGE_COOKIE, "", 0),
  ]);
}
