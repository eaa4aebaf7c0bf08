/** The host names of hosted sign-in pages: `<domain>.auth.<region>.` before the name by which the server itself is reached. */

const HOST = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.auth\.([a-z0-9-]+)\./;
const ADDRESS = /^(\d+\.){3}\d+$|^\[/;

/** The domain, and its region, that a Host header names. */
export function domainOf(
  host: string | undefined,
): { readonly domain: string; readonly region: string } | undefined {
  if (!host?.includes(".auth.")) return undefined;
  const [, domain, region] = HOST.exec(host.toLowerCase()) ?? [];
  return domain !== undefined && region !== undefined ? { domain, region } : undefined;
}

/** Whether a Host header names such a page. */
export function isHostedDomain(host: string | undefined): boolean {
  return domainOf(host) !== undefined;
}

/**
 * Where a domain's pages are, below the name by which the caller reached the server; an address has no names below it, `localhost` has.
 * @param endpoint As the caller used it: `http://127.0.0.1:4566`.
 */
export function hostedUrl(domain: string, region: string, endpoint: string): string {
  const { protocol, hostname, port } = new URL(endpoint);
  const base = ADDRESS.test(hostname) ? "localhost" : hostname.replace(/^.*\.auth\.[^.]+\./, "");
  return `${protocol}//${domain}.auth.${region}.${base}${port === "" ? "" : `:${port}`}`;
}

/** What a discovery document tells of them. */
export function hostedEndpoints(domain: string, region: string, endpoint: string) {
  const url = hostedUrl(domain, region, endpoint);
  return {
    authorization_endpoint: `${url}/oauth2/authorize`,
    end_session_endpoint: `${url}/logout`,
    revocation_endpoint: `${url}/oauth2/revoke`,
    token_endpoint: `${url}/oauth2/token`,
    userinfo_endpoint: `${url}/oauth2/userInfo`,
  };
}
