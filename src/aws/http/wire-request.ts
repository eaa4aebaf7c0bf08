/** A request as the front door reads it, whichever HTTP version brought it. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { RequestBody } from "./request-body.ts";

export interface WireRequest {
  readonly method: string;
  /** As sent, still percent-encoded, without the query. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly rawQuery: string;
  /** Decoded; `?acl` gives `acl` the one value "". */
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly headers: IncomingHttpHeaders;
  /** Host and port the caller used. */
  readonly host: string;
  readonly body: RequestBody;
}

export type AnyIncoming = IncomingMessage | Http2ServerRequest;

/** @throws URIError where a percent-encoding is broken. */
export function wireRequest(incoming: AnyIncoming): WireRequest {
  const url = originForm(incoming.url ?? "/");
  const mark = url.indexOf("?");
  const rawQuery = mark < 0 ? "" : url.slice(mark + 1);
  const headers = incoming.headers;
  const authority = headers[":authority"];
  return {
    method: incoming.method ?? "GET",
    path: mark < 0 ? url : url.slice(0, mark),
    rawQuery,
    query: parseQuery(rawQuery),
    headers,
    host: headers.host ?? (typeof authority === "string" ? authority : "localhost"),
    body: new RequestBody(incoming),
  };
}

/** Proxies send the whole URL. */
function originForm(url: string): string {
  if (url.startsWith("/")) return url;
  const path = /^https?:\/\/[^/?]*(.*)$/.exec(url)?.[1] ?? "/";
  return path.startsWith("/") ? path : `/${path}`;
}

/** @throws URIError */
export function parseQuery(rawQuery: string): Map<string, string[]> {
  const query = new Map<string, string[]>();
  if (rawQuery === "") return query;
  for (const pair of rawQuery.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decodeQueryPart(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : decodeQueryPart(pair.slice(equals + 1));
    const values = query.get(name);
    if (values) values.push(value);
    else query.set(name, [value]);
  }
  return query;
}

function decodeQueryPart(text: string): string {
  return text.includes("%") || text.includes("+") ? decodeURIComponent(text.replace(/\+/g, " ")) : text;
}

/** The first value of a header that may come more than once. */
export function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}
