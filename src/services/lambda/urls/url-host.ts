/** The host names of function URLs: `<id>.lambda-url.<region>.` before the name by which the server itself is reached. */

/** Characters of an id, of which AWS's are as many. */
export const URL_ID_CHARS = 32;

/** What a request to one does, which is no operation of the API. */
export const INVOKE_URL = "InvokeFunctionUrl";

const HOST = /^([a-z0-9]{32})\.lambda-url\.[a-z0-9-]+\./;
const ADDRESS = /^(\d+\.){3}\d+$|^\[/;

/** The id of the function URL that a Host header names. */
export function urlIdOf(host: string | undefined): string | undefined {
  return host?.includes(".lambda-url.") ? HOST.exec(host.toLowerCase())?.[1] : undefined;
}

/** Whether a Host header names a function URL. */
export function isFunctionUrl(host: string | undefined): boolean {
  return urlIdOf(host) !== undefined;
}

/**
 * The URL, below the name by which the caller reached the server. An address has no names below it; `localhost` has, which browsers, curl
 * and most resolvers know to be this machine.
 * @param endpoint As the caller used it: `http://127.0.0.1:4566`.
 */
export function functionUrl(urlId: string, region: string, endpoint: string): string {
  const { protocol, hostname, port } = new URL(endpoint);
  const base = ADDRESS.test(hostname) ? "localhost" : hostname.replace(/^.*\.lambda-url\.[^.]+\./, "");
  return `${protocol}//${urlId}.lambda-url.${region}.${base}${port === "" ? "" : `:${port}`}/`;
}
