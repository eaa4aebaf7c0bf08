/** The scopes that a client may ask for: those of OpenID, of the API itself, and of the pool's resource servers. */
import { AwsError } from "../../../aws/errors.ts";
import type { Reader } from "../../../store/database.ts";
import type { ClientSettings } from "../clients/settings.ts";
import { listResourceServerRows } from "../store/oauth.ts";
import type { Pool } from "../store/pools.ts";
import { SIGN_IN_SCOPE } from "../tokens/issue.ts";

const STANDARD: ReadonlySet<string> = new Set(["openid", "email", "phone", "profile", SIGN_IN_SCOPE]);

/** @throws AwsError ScopeDoesNotExistException */
export async function checkScopes(reader: Reader, pool: Pool, settings: ClientSettings): Promise<void> {
  const { AllowedOAuthScopes: scopes = [], AllowedOAuthFlows: flows = [] } = settings;
  const isMachine = flows.includes("client_credentials");
  const custom = scopes.filter((scope) => !STANDARD.has(scope));
  if (isMachine && custom.length < scopes.length)
    throw new AwsError(
      "InvalidOAuthFlowException",
      "client_credentials flow can not be selected along with scopes that are of users.",
    );
  if (custom.length === 0) return;
  const servers = await listResourceServerRows(reader, pool.poolId, "", Number.MAX_SAFE_INTEGER);
  const known = new Set(
    servers.flatMap(({ identifier, scopes: own }) => own.map(({ name }) => `${identifier}/${name}`)),
  );
  const missing = custom.filter((scope) => !known.has(scope));
  if (missing.length > 0)
    throw new AwsError("ScopeDoesNotExistException", `Custom scope(s) ${missing.join(", ")} do not exist`);
}
