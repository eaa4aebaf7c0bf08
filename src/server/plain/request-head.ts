/**
 * Reads the head of a plain HTTP/1.1 request: one whose body's length is known and that asks nothing of the connection. A head
 * that is anything else is not refused here but left to node:http, which knows all of HTTP; so this reader may be strict.
 */
import type { RequestHead } from "../../aws/index.ts";

export interface PlainHead extends RequestHead {
  /** Where the body begins in the bytes read. */
  readonly end: number;
  readonly bodyBytes: number;
}

/** A larger body is read, and given back under pressure, by node:http. */
export const PLAIN_BODY_BYTES_MAX = 1024 * 1024;
const HEAD_BYTES_MAX = 16 * 1024;
const HEAD_END = Buffer.from("\r\n\r\n", "latin1");

const REQUEST_LINE = /^(POST|GET|PUT|DELETE|PATCH) (\/[\x21-\x7e]*) HTTP\/1\.1$/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;
const LENGTH = /^\d{1,7}$/;
/** What changes how the connection is used, and what a browser sends for a page, which the server looks at elsewhere. */
const NOT_PLAIN: ReadonlySet<string> = new Set([
  "expect",
  "http2-settings",
  "origin",
  "proxy-connection",
  "sec-fetch-site",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The head at the beginning of `bytes`; undefined where node:http has to see to it. */
export function readPlainHead(bytes: Buffer): PlainHead | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0 || end > HEAD_BYTES_MAX) return undefined;
  const lines = bytes.toString("latin1", 0, end).split("\r\n");
  const [, method, url] = REQUEST_LINE.exec(lines[0] ?? "") ?? [];
  if (method === undefined || url === undefined) return undefined;
  const headers: Record<string, string> = {};
  for (let at = 1; at < lines.length; at++) {
    const [, name, value] = HEADER.exec(lines[at] ?? "") ?? [];
    if (name === undefined || value === undefined) return undefined;
    const key = name.toLowerCase();
    // A header that comes twice is joined by rules of its own.
    if (key in headers || NOT_PLAIN.has(key)) return undefined;
    headers[key] = value.trimEnd();
  }
  const { connection, host, "content-length": length = "0" } = headers;
  if (host === undefined || !LENGTH.test(length)) return undefined;
  if (connection !== undefined && connection.toLowerCase() !== "keep-alive") return undefined;
  const bodyBytes = Number(length);
  if (bodyBytes > PLAIN_BODY_BYTES_MAX) return undefined;
  return { method, url, headers, end: end + HEAD_END.length, bodyBytes };
}
