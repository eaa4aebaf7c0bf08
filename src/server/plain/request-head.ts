/**
 * Reads the head of a plain HTTP/1.1 request: one whose body's length is known and that asks nothing of the connection. A head
 * that is anything else is not refused here but left to node:http, which knows all of HTTP; so this reader may be strict.
 */
import type { RequestHead } from "../../aws/index.ts";
import { Memo } from "../../kit/memo.ts";

export interface PlainHead extends RequestHead {
  /** Where the body begins in the bytes read. */
  readonly end: number;
  readonly bodyBytes: number;
}

/** A larger body is read, and given back under pressure, by node:http. */
export const PLAIN_BODY_BYTES_MAX = 1024 * 1024;
const HEAD_BYTES_MAX = 16 * 1024;

const REQUEST_LINE = /^(POST|GET|PUT|DELETE|PATCH) (\/[\x21-\x7e]*) HTTP\/1\.1$/;
const CARRIAGE_RETURN = 13;
const LINE_FEED = 10;
const COLON = 58;
/** Which bytes are looked at more closely: the colon, and what must not be in a head, of which a line break is the exception. */
const NOTED = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === COLON || (byte < 32 && byte !== 9) || byte === 127 ? 1 : 0,
);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
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

/** Plain header names in lower case; undefined for any other. There are few of them, so that they are seldom looked at twice. */
const names = new Memo((text) => {
  const name = text.toLowerCase();
  return TOKEN.test(name) && !NOT_PLAIN.has(name) ? name : undefined;
});

/** The head at the beginning of `bytes`; undefined where node:http has to see to it. */
export function readPlainHead(bytes: Buffer): PlainHead | undefined {
  const size = Math.min(bytes.length, HEAD_BYTES_MAX);
  const text = bytes.toString("latin1", 0, size);
  const headers: Record<string, string> = {};
  let requestLine: string | undefined;
  let [start, colon] = [0, -1];
  for (let at = 0; at < size; at++) {
    const byte = bytes[at] as number;
    if (NOTED[byte] === 0) continue;
    if (byte === COLON) {
      if (colon < 0) colon = at;
      continue;
    }
    if (byte !== CARRIAGE_RETURN || bytes[at + 1] !== LINE_FEED) return undefined;
    if (at === start) return plainHead(requestLine ?? "", headers, at + 2);
    if (requestLine === undefined) requestLine = text.slice(0, at);
    else {
      const name = colon < 0 ? undefined : names.get(text.slice(start, colon));
      // A header that comes twice is joined by rules of its own.
      if (name === undefined || headers[name] !== undefined) return undefined;
      headers[name] = withoutBlanks(text, colon + 1, at);
    }
    at++;
    start = at + 1;
    colon = -1;
  }
  return undefined;
}

function plainHead(requestLine: string, headers: Record<string, string>, end: number): PlainHead | undefined {
  const [, method, url] = REQUEST_LINE.exec(requestLine) ?? [];
  if (method === undefined || url === undefined) return undefined;
  const { connection, host, "content-length": length = "0" } = headers;
  if (host === undefined || !LENGTH.test(length)) return undefined;
  if (connection !== undefined && connection.toLowerCase() !== "keep-alive") return undefined;
  const bodyBytes = Number(length);
  if (bodyBytes > PLAIN_BODY_BYTES_MAX) return undefined;
  return { method, url, headers, end, bodyBytes };
}

/** What is from `from` on up to `to`, without the blanks around it; other white space is part of a value. */
function withoutBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
