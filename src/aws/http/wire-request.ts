/** A request as the front door reads it, whichever HTTP version brought it. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Readable } from "node:stream";
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

/** What a request's head says. */
export interface RequestHead {
  readonly method: string;
  /** The target as sent. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers: IncomingHttpHeaders;
}

/** @throws URIError where a percent-encoding is broken. */
export function incomingRequest(incoming: AnyIncoming): WireRequest {
  const { method = "GET", url = "/", headers } = incoming;
  return wireRequest({ method, url, headers }, incoming);
}

/** @throws URIError where a percent-encoding is broken. */
export function wireRequest(head: RequestHead, body: Readable | Buffer): WireRequest {
  const { method, headers } = head;
  const url = originForm(head.url);
  const mark = url.indexOf("?");
  const rawQuery = mark < 0 ? "" : url.slice(mark + 1);
  const authority = headers[":authority"];
  return {
    method,
    path: mark < 0 ? url : url.slice(0, mark),
    rawQuery,
    query: parseQuery(rawQuery),
    headers,
    host: headers.host ?? (typeof authority === "string" ? authority : "localhost"),
    body: new RequestBody(body, headers["content-length"]),
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
