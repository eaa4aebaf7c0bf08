/** Who an access token is of. */
import type { UserPools } from "../deps.ts";
import { notAuthorized, userNotFound } from "../errors.ts";
import { getClient } from "../store/clients.ts";
import { getPool } from "../store/pools.ts";
import { getSession } from "../store/sessions.ts";
import type { SessionRow } from "../store/sessions.ts";
import { getUser } from "../store/users.ts";
import { keyOf } from "../users/username.ts";
import type { SignedIn } from "./issue.ts";
import { SIGN_IN_SCOPE } from "./issue.ts";
import { readJwt, verifyJwt } from "./jwt.ts";
import type { Claims } from "./jwt.ts";

export interface Access extends SignedIn {
  readonly session: SessionRow;
  readonly scopes: readonly string[];
}

/**
 * Who an access token is of, once it is found to be ours, of now, not revoked, and to have the scope.
 * @throws AwsError NotAuthorizedException, UserNotFoundException
 */
export async function requireAccess(
  userPools: UserPools,
  token = "",
  scope = SIGN_IN_SCOPE,
): Promise<Access> {
  const { database, keys, clock } = userPools;
  const clientId = readJwt(token)?.["client_id"];
  const client = typeof clientId === "string" ? await getClient(database, clientId) : undefined;
  const pool = client && (await getPool(database, client.poolId));
  if (!client || !pool) throw invalidToken();
  const known = await keys.all(pool.poolId);
  const claims = verifyJwt(token, (kid) => known.find((key) => key.kid === kid)?.publicKey);
  if (claims?.["token_use"] !== "access") throw invalidToken();
  if (Number(claims["exp"]) * 1_000 <= clock.now()) throw notAuthorized("Access Token has expired");
  const scopes = textOf(claims, "scope").split(" ");
  if (!scopes.includes(scope)) throw notAuthorized("Access Token does not have required scopes");
  const session = await getSession(database, textOf(claims, "event_id"));
  const user = await getUser(
    database,
    pool.poolId,
    session?.username_key ?? keyOf(pool, textOf(claims, "username")),
  );
  if (!user) throw userNotFound();
  if (!session) throw notAuthorized("Access Token has been revoked");
  if (!user.enabled) throw notAuthorized("User is disabled.");
  return { pool, client, user, session, scopes };
}

function invalidToken() {
  return notAuthorized("Invalid Access Token");
}

function textOf(claims: Claims, name: string): string {
  const value = claims[name];
  return typeof value === "string" ? value : "";
}
