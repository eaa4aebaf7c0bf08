/** The authorization endpoint: what an application asks for, and what it gets once its user has signed in. */
import { giveTicket, readTicket } from "../auth/tickets.ts";
import { getClient } from "../store/clients.ts";
import type { PoolClient } from "../store/clients.ts";
import { getUser } from "../store/users.ts";
import { issueTokens } from "../tokens/issue.ts";
import { askingOf } from "../triggers/call.ts";
import type { User } from "../users/user.ts";
import { OAuthError, cookie, cookieOf, redirect } from "./exchange.ts";
import type { Hosted, HostedAnswer, HostedClient } from "./exchange.ts";

/** A code of a sign-in is good for five minutes, and once. */
const CODE_MS = 300_000;
/** How long who has signed in on a page need not do so again. */
export const PAGE_MS = 3_600_000;
export const PAGE_COOKIE = "cognito";

/** What is asked for, once it is found to be allowed. */
export interface AuthorizeRequest extends HostedClient {
  readonly responseType: "code" | "token";
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state: string | undefined;
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly prompt: string | undefined;
}

/** What a code stands for. */
export interface CodeState {
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly nonce?: string;
  readonly codeChallenge?: string;
}

/** An error that the application is told, at its own address. */
export class RedirectError extends OAuthError {
  readonly location: string;

  constructor(
    asked: Pick<AuthorizeRequest, "redirectUri" | "state" | "responseType">,
    code: string,
    description = "",
  ) {
    super(code, description);
    const values = { error: code, ...(description !== "" && { error_description: description }) };
    this.location = locationOf(asked, values);
  }
}

/** @throws OAuthError for an application that is not known or may not be answered there, RedirectError for what it may not ask */
export async function readAuthorize(hosted: Hosted): Promise<AuthorizeRequest> {
  const { query } = hosted.request;
  const client = await requireHostedClient(hosted, query.get("client_id"));
  const { settings } = client;
  const redirectUri = query.get("redirect_uri") ?? settings.DefaultRedirectURI ?? "";
  if (!(settings.CallbackURLs ?? []).includes(redirectUri))
    throw new OAuthError("redirect_mismatch", "redirect_uri is none of the client's callback URLs");
  const responseType = query.get("response_type") === "token" ? "token" : "code";
  const state = query.get("state") ?? undefined;
  const asked = { redirectUri, state, responseType } as const;
  const type = query.get("response_type");
  if (type === null) throw new RedirectError(asked, "invalid_request", "response_type is missing");
  if (type !== "code" && type !== "token")
    throw new RedirectError(asked, "unsupported_response_type", `response_type is ${type}`);
  const flow = type === "code" ? "code" : "implicit";
  if (!(settings.AllowedOAuthFlows ?? []).includes(flow))
    throw new RedirectError(asked, "unauthorized_client", `The client may not use the flow ${flow}.`);
  const method = query.get("code_challenge_method");
  const codeChallenge = query.get("code_challenge") ?? undefined;
  if (codeChallenge !== undefined && method !== "S256")
    throw new RedirectError(asked, "invalid_request", "code_challenge_method must be S256");
  const provider = query.get("identity_provider") ?? query.get("idp_identifier") ?? "COGNITO";
  if (provider !== "COGNITO")
    throw new RedirectError(
      asked,
      "invalid_request",
      `There is no identity provider ${provider}: federation is not implemented.`,
    );
  const prompt = query.get("prompt") ?? undefined;
  if (prompt !== undefined && prompt !== "none" && prompt !== "login")
    throw new RedirectError(asked, "invalid_request", `The prompt ${prompt} is not implemented.`);
  const nonce = query.get("nonce") ?? undefined;
  const scopes = scopesOf(client, query.get("scope"), asked);
  return { ...hosted, client, ...asked, scopes, nonce, codeChallenge, prompt };
}

/** @throws OAuthError for a client of another pool, and one that has no pages */
export async function requireHostedClient(
  { userPools, pool }: Pick<Hosted, "userPools" | "pool">,
  clientId: string | null,
): Promise<PoolClient> {
  const client = clientId === null ? undefined : await getClient(userPools.database, clientId);
  if (client?.poolId !== pool.poolId)
    throw new OAuthError("invalid_client", `Client ${clientId} does not exist.`);
  if (client.settings.AllowedOAuthFlowsUserPoolClient !== true)
    throw new OAuthError("unauthorized_client", "The client is not allowed to use OAuth flows.");
  return client;
}

function scopesOf(
  { settings }: PoolClient,
  given: string | null,
  asked: Pick<AuthorizeRequest, "redirectUri" | "state" | "responseType">,
): readonly string[] {
  const allowed = settings.AllowedOAuthScopes ?? [];
  const scopes = given === null || given === "" ? allowed : [...new Set(given.split(/\s+/))];
  const unknown = scopes.find((scope) => !allowed.includes(scope));
  if (unknown !== undefined)
    throw new RedirectError(asked, "invalid_scope", `The client may not ask for the scope ${unknown}.`);
  return scopes;
}

/** GET /oauth2/authorize: who has signed in on the page lately goes on at once, others to the page. */
export async function authorize(hosted: Hosted): Promise<HostedAnswer> {
  const asked = await readAuthorize(hosted);
  const user = asked.prompt === "login" ? undefined : await pageUser(hosted);
  if (user) return grant(asked, user);
  if (asked.prompt === "none") throw new RedirectError(asked, "login_required");
  return redirect(`${hosted.base}/login?${hosted.request.query.toString()}`);
}

async function pageUser({ userPools, pool, request }: Hosted): Promise<User | undefined> {
  const secret = cookieOf(request, PAGE_COOKIE);
  const ticket = secret === undefined ? undefined : await readTicket(userPools, "page", secret);
  if (ticket?.poolId !== pool.poolId) return undefined;
  const user = await getUser(userPools.database, pool.poolId, ticket.key);
  return user?.enabled === true && user.status === "CONFIRMED" ? user : undefined;
}

/** What a user who has just signed in gets: the application's answer, and a page that knows them. */
export async function grantNew(asked: AuthorizeRequest, user: User): Promise<HostedAnswer> {
  const { userPools, pool, client } = asked;
  const page = {
    kind: "page",
    poolId: pool.poolId,
    clientId: client.clientId,
    key: user.key,
    state: {},
  } as const;
  const secret = await giveTicket(userPools, page, PAGE_MS);
  return grant(asked, user, [cookie(asked, PAGE_COOKIE, secret, PAGE_MS)]);
}

async function grant(
  asked: AuthorizeRequest,
  user: User,
  cookies: readonly string[] = [],
): Promise<HostedAnswer> {
  const { userPools, pool, client, scopes, nonce, codeChallenge, redirectUri } = asked;
  if (asked.responseType === "token") {
    const asking = askingOf(asked.request, undefined, client.clientId);
    const source = "TokenGeneration_HostedAuth" as const;
    const tokens = await issueTokens(userPools, { pool, client, user, asking, source, scopes, nonce });
    const values = {
      access_token: tokens.AccessToken,
      ...(tokens.IdToken !== undefined && { id_token: tokens.IdToken }),
      token_type: "Bearer",
      expires_in: String(tokens.ExpiresIn),
    };
    return redirect(locationOf(asked, values), cookies);
  }
  const state: CodeState = {
    redirectUri,
    scopes,
    ...(nonce !== undefined && { nonce }),
    ...(codeChallenge !== undefined && { codeChallenge }),
  };
  const ticket = {
    kind: "code",
    poolId: pool.poolId,
    clientId: client.clientId,
    key: user.key,
    state,
  } as const;
  return redirect(locationOf(asked, { code: await giveTicket(userPools, ticket, CODE_MS) }), cookies);
}

/** The application's address with what it is told: after `#` in the implicit flow. */
function locationOf(
  { redirectUri, state, responseType }: Pick<AuthorizeRequest, "redirectUri" | "state" | "responseType">,
  values: Readonly<Record<string, string>>,
): string {
  const told = new URLSearchParams({ ...values, ...(state !== undefined && { state }) }).toString();
  if (responseType === "token") return `${redirectUri}#${told}`;
  return `${redirectUri}${redirectUri.includes("?") ? "&" : "?"}${told}`;
}
