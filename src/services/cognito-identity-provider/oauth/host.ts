/** The host names of hosted sign-in pages: `<domain>.auth.<region>.` before the name by which the server itself is reached. */

const HOST = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.auth\.([a-z0-9-]+)\./;

/** The domain, and its region, that a Host header names. */
export function domainOf(
  host: string | undefined,
): { readonly domain: string; readonly region: string } | undefined {
  if (!host?.includes(".auth.")) return undefined;
  const [, domain, region] = HOST.exec(host.toLowerCase()) ?? [];
  return domain !== undefined && region !== undefined ? { domain, region } : undefined;
}

/**
 * What a discovery document tells of a pool with a domain: its path on the host by which the document was asked for, since programs do not
 * find names below `localhost` everywhere.
 * @param endpoint As the caller used it: `http://127.0.0.1:4566`.
 */
export function hostedEndpoints(poolId: string, endpoint: string) {
  const url = `${endpoint}/${poolId}`;
  return {
    authorization_endpoint: `${url}/oauth2/authorize`,
    end_session_endpoint: `${url}/logout`,
    revocation_endpoint: `${url}/oauth2/revoke`,
    token_endpoint: `${url}/oauth2/token`,
    userinfo_endpoint: `${url}/oauth2/userInfo`,
  };
}
