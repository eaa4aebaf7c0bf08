/** Tokens after the sign-in: GetTokensFromRefreshToken, RevokeToken, GlobalSignOut, AdminUserGlobalSignOut. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { isSecretOf } from "../clients/secret-hash.ts";
import type { Client, UserPools } from "../deps.ts";
import { invalidParameter, notAuthorized } from "../errors.ts";
import { clientWithPool, requirePool } from "../pools/lookup.ts";
import type { PoolClient } from "../store/clients.ts";
import { endSessions } from "../store/sessions.ts";
import { requireAccess } from "../tokens/access.ts";
import { refreshTokens, requireRefresh, revokeRefresh } from "../tokens/issue.ts";
import { readJwt } from "../tokens/jwt.ts";
import { askingOf } from "../triggers/call.ts";
import { requireUser } from "../users/username.ts";

export async function getTokensFromRefreshToken(
  userPools: UserPools,
  input: Input<Client, "GetTokensFromRefreshToken">,
  context: RequestContext,
): Promise<Output<Client, "GetTokensFromRefreshToken">> {
  const { pool, client } = await clientWithPool(userPools, input.ClientId);
  checkSecret(client, input.ClientSecret);
  const { session, user } = await requireRefresh(userPools, pool, client, {
    token: input.RefreshToken ?? "",
    device: input.DeviceKey,
  });
  const asking = askingOf(context, input.ClientMetadata, client.clientId);
  const { Feature, RetryGracePeriodSeconds = 0 } = client.settings.RefreshTokenRotation ?? {};
  const rotateMs = Feature === "ENABLED" ? RetryGracePeriodSeconds * 1_000 : undefined;
  const request = { pool, client, user, asking };
  return { AuthenticationResult: await refreshTokens(userPools, request, session, rotateMs) };
}

export async function revokeToken(
  userPools: UserPools,
  { Token = "", ClientId, ClientSecret }: Input<Client, "RevokeToken">,
): Promise<object> {
  const { client } = await clientWithPool(userPools, ClientId);
  checkSecret(client, ClientSecret);
  if (client.settings.EnableTokenRevocation === false)
    throw new AwsError(
      "UnsupportedOperationException",
      "Token revocation is not enabled for this user pool client.",
    );
  if (readJwt(Token)?.["token_use"] !== undefined)
    throw new AwsError("UnsupportedTokenTypeException", "Only refresh tokens can be revoked.");
  await revokeRefresh(userPools, client, Token);
  return {};
}

function checkSecret(client: PoolClient, given: string | undefined): void {
  if (client.secrets.length === 0) {
    if (given !== undefined) throw invalidParameter(`Client ${client.clientId} has no secret.`);
    return;
  }
  if (given === undefined || !isSecretOf(client, given))
    throw notAuthorized(`Unable to verify the secret of client ${client.clientId}`);
}

export async function globalSignOut(
  userPools: UserPools,
  { AccessToken }: Input<Client, "GlobalSignOut">,
): Promise<object> {
  const { user } = await requireAccess(userPools, AccessToken);
  await userPools.database.tx((tx) => endSessions(tx, user.poolId, user.key));
  return {};
}

export async function adminUserGlobalSignOut(
  { database }: UserPools,
  { UserPoolId, Username }: Input<Client, "AdminUserGlobalSignOut">,
  context: RequestContext,
): Promise<object> {
  const pool = await requirePool(database, context, UserPoolId);
  await database.tx(async (tx) => {
    const user = await requireUser(tx, pool, Username);
    await endSessions(tx, user.poolId, user.key);
  });
  return {};
}
