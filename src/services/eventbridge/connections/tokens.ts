/** Access tokens of connections that sign in by OAuth's client credentials; each is kept in memory until shortly before it ends. */
import type { Clock } from "../../../kit/clock.ts";
import type { HttpCaller } from "../ports.ts";
import type { Auth, HttpParameters } from "./auth.ts";

const TIMEOUT_MS = 5_000;
/** How long before its end a token is renewed, in milliseconds. */
const EARLY_MS = 60_000;
/** Of a token whose server does not say how long it lasts, in seconds. */
const LIFE_SECONDS_DEFAULT = 3_600;
const TOKENS_MAX = 10_000;

interface Token {
  readonly value: string;
  readonly until: number;
}

export class TokenError extends Error {}

export class Tokens {
  readonly #clock: Clock;
  readonly #endpoints: HttpCaller;
  readonly #known = new Map<string, Token>();

  constructor({ clock, endpoints }: { readonly clock: Clock; readonly endpoints: HttpCaller }) {
    this.#clock = clock;
    this.#endpoints = endpoints;
  }

  /** @param key The connection, as it is now. @throws TokenError that says what the authorization server said */
  async get(key: string, auth: Auth): Promise<string> {
    const now = this.#clock.now();
    const known = this.#known.get(key);
    if (known && known.until > now) return known.value;
    const { value, seconds } = await this.#fetch(auth);
    if (this.#known.size >= TOKENS_MAX) this.#known.clear();
    this.#known.set(key, { value, until: now + Math.max(0, seconds * 1_000 - EARLY_MS) });
    return value;
  }

  /** After it was refused. */
  forget(key: string): void {
    this.#known.delete(key);
  }

  /** By client credentials in the Authorization header, https://www.rfc-editor.org/rfc/rfc6749#section-4.4 */
  async #fetch({ OAuthParameters = {} }: Auth): Promise<{ value: string; seconds: number }> {
    const { ClientParameters = {}, AuthorizationEndpoint = "", HttpMethod = "POST" } = OAuthParameters;
    const { OAuthHttpParameters: more = {} } = OAuthParameters;
    const url = new URL(AuthorizationEndpoint);
    addQuery(url, more);
    const form = new URLSearchParams({ grant_type: "client_credentials" });
    for (const { Key = "", Value = "" } of more.BodyParameters ?? []) form.set(Key, Value);
    if (HttpMethod === "GET") for (const [key, value] of form) url.searchParams.set(key, value);
    const { ClientID = "", ClientSecret = "" } = ClientParameters;
    const headers = {
      authorization: basic(ClientID, ClientSecret),
      accept: "application/json",
      ...(HttpMethod !== "GET" && { "content-type": "application/x-www-form-urlencoded" }),
      ...headersOf(more),
    };
    const body = HttpMethod === "GET" ? {} : { body: Buffer.from(form.toString()) };
    const request = { url: url.href, method: HttpMethod, headers, timeoutMs: TIMEOUT_MS, ...body };
    const answer = await this.#endpoints.call(request).catch((error: unknown) => {
      throw new TokenError(`the authorization endpoint could not be reached: ${(error as Error).message}`);
    });
    if (answer.status < 200 || answer.status > 299)
      throw new TokenError(`the authorization endpoint answered with the status ${answer.status}`);
    return tokenIn(answer.body.toString());
  }
}

function tokenIn(text: string): { value: string; seconds: number } {
  let answer: { readonly access_token?: unknown; readonly expires_in?: unknown } = {};
  try {
    answer = Object(JSON.parse(text)) as object;
  } catch {
    // Told below.
  }
  if (typeof answer.access_token !== "string")
    throw new TokenError("the authorization endpoint gave no access_token");
  const seconds = Number(answer.expires_in ?? LIFE_SECONDS_DEFAULT);
  return { value: answer.access_token, seconds: seconds > 0 ? seconds : LIFE_SECONDS_DEFAULT };
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

export function addQuery(url: URL, { QueryStringParameters = [] }: HttpParameters): void {
  for (const { Key = "", Value = "" } of QueryStringParameters) url.searchParams.append(Key, Value);
}

export function headersOf({ HeaderParameters = [] }: HttpParameters): Record<string, string> {
  return Object.fromEntries(HeaderParameters.map(({ Key = "", Value = "" }) => [Key.toLowerCase(), Value]));
}
