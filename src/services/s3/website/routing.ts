/** Where a website's rules send a request. Pure. */
import type { RoutingRule, Website } from "./configuration.ts";

export interface Redirect {
  readonly status: number;
  readonly location: string;
}

export interface Asked {
  /** Decoded, without the first slash. */
  readonly key: string;
  /** With its port. */
  readonly host: string;
  /** Of an answer that would be an error. */
  readonly errorStatus?: number;
}

const MOVED_PERMANENTLY = 301;

/** The redirect of the first rule that means the request; before the object is looked for, or once that has failed. */
export function redirectBy(rules: Website["RoutingRules"], asked: Asked): Redirect | undefined {
  const rule = rules?.find((one) => means(one, asked));
  if (!rule) return undefined;
  const { HostName, HttpRedirectCode, Protocol, ReplaceKeyWith, ReplaceKeyPrefixWith } = rule.Redirect ?? {};
  const prefix = rule.Condition?.KeyPrefixEquals ?? "";
  const key =
    ReplaceKeyWith ??
    (ReplaceKeyPrefixWith === undefined ? asked.key : ReplaceKeyPrefixWith + asked.key.slice(prefix.length));
  return {
    status: HttpRedirectCode === undefined ? MOVED_PERMANENTLY : Number(HttpRedirectCode),
    location: `${Protocol ?? "http"}://${HostName ?? asked.host}/${encodeKey(key)}`,
  };
}

/** Where every request goes. @param target Its path and query, as they came. */
export function redirectAll(
  { HostName, Protocol }: NonNullable<Website["RedirectAllRequestsTo"]>,
  target: string,
): Redirect {
  return { status: MOVED_PERMANENTLY, location: `${Protocol ?? "http"}://${HostName}${target}` };
}

export function encodeKey(key: string): string {
  return encodeURIComponent(key).replaceAll("%2F", "/");
}

function means({ Condition }: RoutingRule, { key, errorStatus }: Asked): boolean {
  const { KeyPrefixEquals: prefix = "", HttpErrorCodeReturnedEquals: code } = Condition ?? {};
  const wanted = code === undefined ? undefined : Number(code);
  return wanted === errorStatus && key.startsWith(prefix);
}
