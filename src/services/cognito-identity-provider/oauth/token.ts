/** The token endpoint: codes, refresh tokens and clients' own credentials become tokens. */
import { createHash } from "node:crypto";
import { AwsError } from "../../../aws/errors.ts";
import { takeTicket } from "../auth/tickets.ts";
import { isSecretOf } from "../clients/secret-hash.ts";
import { tokenLives } from "../clients/settings.ts";
import { sameText } from "../auth/srp.ts";
import type { PoolClient } from "../store/clients.ts";
import { getUser } from "../store/users.ts";
import { changed } from "../tokens/claims.ts";
import { issueTokens, refreshTokens, requireRefresh, revokeRefresh } from "../tokens/issue.ts";
import { issuerOf } from "../tokens/issuer.ts";
import { signJwt } from "../tokens/jwt.ts";
import { askingOf, isRecord } from "../triggers/call.ts";
import { tokenOverrides } from "../triggers/pre-token.ts";
import { requireHostedClient } from "./authorize.ts";
import type { CodeState } from "./authorize.ts";
import { OAuthError, json } from "./exchange.ts";
import type { Hosted, HostedAnswer, HostedClient } from "./exchange.ts";

interface Issued {
  readonly AccessToken?: string | undefined;
  readonly IdToken?: string | undefined;
  readonly RefreshToken?: string | undefined;
  readonly ExpiresIn?: number | undefined;
}

const GRANTS: Readonly<Record<string, (hosted: HostedClient) => Promise<Issued>>> = {
  authorization_code: byCode,
  refresh_token: byRefreshToken,
  client_credentials: byClient,
};

/** POST /oauth2/token. @throws OAuthError */
export async function giveTokens(hosted: Hosted): Promise<HostedAnswer> {
  const grant = hosted.request.form.get("grant_type") ?? "";
  const run = Object.hasOwn(GRANTS, grant) ? GRANTS[grant] : undefined;
  if (!run)
    throw new OAuthError("unsupported_grant_type", `grant_type is ${grant === "" ? "missing" : grant}`);
  const client = await authenticatedClient(hosted);
  const issued = await run({ ...hosted, client }).catch((error: unknown) => {
    throw error instanceof AwsError ? new OAuthError("invalid_grant", error.message) : error;
  });
  return json(200, {
    ...(issued.IdToken !== undefined && { id_token: issued.IdToken }),
    access_token: issued.AccessToken,
    ...(issued.RefreshToken !== undefined && { refresh_token: issued.RefreshToken }),
    expires_in: issued.ExpiresIn,
    token_type: "Bearer",
  });
}

/** Who asks, by Basic or in the form. @throws OAuthError invalid_client */
async function authenticatedClient(hosted: Hosted): Promise<PoolClient> {
  const { form, headers } = hosted.request;
  const [, basic] = /^Basic (.+)$/i.exec(headers.authorization ?? "") ?? [];
  const [id, secret] = basic === undefined ? [] : decodedBasic(basic);
  const client = await requireHostedClient(hosted, id ?? form.get("client_id"));
  const given = secret ?? form.get("client_secret") ?? undefined;
  if (client.secrets.length === 0 ? given !== undefined : given === undefined || !isSecretOf(client, given))
    throw new OAuthError("invalid_client", "Client authentication failed");
  return client;
}

function decodedBasic(text: string): readonly [string, string] {
  const [id = "", ...rest] = Buffer.from(text, "base64").toString().split(":");
  return [id, rest.join(":")];
}

const invalidGrant = (why: string) => new OAuthError("invalid_grant", why);

async function byCode({ userPools, pool, client, request }: HostedClient): Promise<Issued> {
  const { form } = request;
  const ticket = await takeTicket<CodeState>(userPools, "code", form.get("code") ?? "");
  if (ticket?.clientId !== client.clientId || ticket.poolId !== pool.poolId)
    throw invalidGrant("The code is none, has ended or was used.");
  const { redirectUri, scopes, nonce, codeChallenge } = ticket.state;
  if (form.get("redirect_uri") !== redirectUri) throw invalidGrant("redirect_uri is not that of the code.");
  if (codeChallenge !== undefined) {
    const proved = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (!sameText(proved, codeChallenge)) throw invalidGrant("code_verifier is not that of the code.");
  }
  const user = await getUser(userPools.database, pool.poolId, ticket.key);
  if (user?.enabled !== true) throw invalidGrant("The user is gone or disabled.");
  const asking = askingOf(request, undefined, client.clientId);
  const source = "TokenGeneration_HostedAuth" as const;
  return issueTokens(userPools, { pool, client, user, asking, source, scopes, nonce });
}

async function byRefreshToken({ userPools, pool, client, request }: HostedClient): Promise<Issued> {
  const token = request.form.get("refresh_token") ?? "";
  const { session, user } = await requireRefresh(userPools, pool, client, { token });
  const { Feature, RetryGracePeriodSeconds = 0 } = client.settings.RefreshTokenRotation ?? {};
  const rotateMs = Feature === "ENABLED" ? RetryGracePeriodSeconds * 1_000 : undefined;
  const asking = askingOf(request, undefined, client.clientId);
  return refreshTokens(userPools, { pool, client, user, asking }, session, rotateMs);
}

/** What a client has its trigger told: JSON, escaped as a URL's part. @throws OAuthError for anything else */
function metadataOf(text: string | null): Record<string, string> | undefined {
  if (text === null) return undefined;
  const invalid = new OAuthError("invalid_request", "aws_client_metadata must be a JSON object of strings");
  try {
    const read: unknown = JSON.parse(text.startsWith("{") ? text : decodeURIComponent(text));
    if (isRecord(read) && Object.values(read).every((value) => typeof value === "string"))
      return read as Record<string, string>;
  } catch {
    throw invalid;
  }
  throw invalid;
}

/** A client that signs in for itself. */
async function byClient({ userPools, pool, client, request }: HostedClient): Promise<Issued> {
  const { settings } = client;
  if (!(settings.AllowedOAuthFlows ?? []).includes("client_credentials") || client.secrets.length === 0)
    throw new OAuthError("unauthorized_client", "The client may not use the flow client_credentials.");
  const allowed = settings.AllowedOAuthScopes ?? [];
  const scopes = request.form.get("scope")?.split(/\s+/).filter(Boolean) ?? allowed;
  if (scopes.some((scope) => !allowed.includes(scope)))
    throw new OAuthError("invalid_scope", "The client may not ask for one of the scopes.");
  const { clock, ids, keys } = userPools;
  const told = {
    source: "TokenGeneration_ClientCredentials" as const,
    groups: { groups: [], roles: [], preferredRole: undefined },
    scopes,
  };
  const asking = askingOf(request, metadataOf(request.form.get("aws_client_metadata")), client.clientId);
  const overrides = await tokenOverrides(userPools, pool, client, asking, told);
  const lifeMs = tokenLives(settings).access;
  const now = Math.floor(clock.now() / 1_000);
  const claims = {
    sub: client.clientId,
    token_use: "access",
    scope: overrides.scopes.join(" "),
    auth_time: now,
    iss: issuerOf(userPools, pool),
    exp: now + Math.floor(lifeMs / 1_000),
    iat: now,
    version: 2,
    jti: ids.uuid(),
    client_id: client.clientId,
  };
  const AccessToken = signJwt(await keys.current(pool.poolId), changed(claims, overrides.access));
  return { AccessToken, ExpiresIn: Math.floor(lifeMs / 1_000) };
}

/** POST /oauth2/revoke. A token that is none is revoked already. @throws OAuthError */
export async function revoke(hosted: Hosted): Promise<HostedAnswer> {
  const client = await authenticatedClient(hosted);
  if (client.settings.EnableTokenRevocation === false)
    throw new OAuthError("invalid_request", "Token revocation is not enabled for the client.");
  const token = hosted.request.form.get("token");
  if (token === null) throw new OAuthError("invalid_request", "token is missing");
  if (token.split(".").length === 3)
    throw new OAuthError("unsupported_token_type", "Only refresh tokens can be revoked.");
  await revokeRefresh(hosted.userPools, client, token);
  return { status: 200, headers: { "access-control-allow-origin": "*" }, body: "" };
}
