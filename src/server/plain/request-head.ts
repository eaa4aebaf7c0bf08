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
const HEAD_END = Buffer.from("\r\n\r\n", "latin1");

const REQUEST_LINE = /^(POST|GET|PUT|DELETE|PATCH) (\/[\x21-\x7e]*) HTTP\/1\.1$/;
/** Control characters, and line breaks that are not whole. */
// oxlint-disable-next-line no-control-regex -- these are the characters that must not be there
const UNTIDY = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Header names in lower case; undefined for what is no name. There are few of them, so that they are seldom looked at twice. */
const names = new Memo((name) => (TOKEN.test(name) ? name.toLowerCase() : undefined));
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
  const text = bytes.toString("latin1", 0, end);
  if (UNTIDY.test(text)) return undefined;
  const lines = text.split("\r\n");
  const [, method, url] = REQUEST_LINE.exec(lines[0] ?? "") ?? [];
  if (method === undefined || url === undefined) return undefined;
  const headers: Record<string, string> = {};
  for (let at = 1; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const colon = line.indexOf(":");
    const name = colon < 0 ? undefined : names.get(line.slice(0, colon));
    // A header that comes twice is joined by rules of its own.
    if (name === undefined || name in headers || NOT_PLAIN.has(name)) return undefined;
    headers[name] = withoutBlanks(line, colon + 1);
  }
  const { connection, host, "content-length": length = "0" } = headers;
  if (host === undefined || !LENGTH.test(length)) return undefined;
  if (connection !== undefined && connection.toLowerCase() !== "keep-alive") return undefined;
  const bodyBytes = Number(length);
  if (bodyBytes > PLAIN_BODY_BYTES_MAX) return undefined;
  return { method, url, headers, end: end + HEAD_END.length, bodyBytes };
}

/** What is behind `from`, without the blanks around it; other white space is part of a value. */
function withoutBlanks(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
