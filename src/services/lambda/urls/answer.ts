/**
 * What a function's answer is to whoever called its URL.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */

export interface UrlAnswer {
  readonly status: number;
  /** Lower-case names; several values for cookies. */
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer;
}

/** The content type of a streamed answer whose metadata come before its body, and what parts the two. */
export const PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response";
export const PRELUDE_END = Buffer.alloc(8);
/** Longest metadata of a streamed answer. */
export const PRELUDE_BYTES_MAX = 65_536;

/** What HTTP itself says; a function cannot. */
const UNSAID: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// oxlint-disable-next-line no-control-regex -- what a header may not hold
const HEADER_VALUE = /^[^\u0000-\u0008\u000A-\u001F\u007F]*$/;

/** Of a function that failed, or whose answer is none. */
export function failedAnswer(): UrlAnswer {
  return plainAnswer(502, "Internal Server Error");
}

export function plainAnswer(status: number, text: string): UrlAnswer {
  return { status, headers: { "content-type": "application/json" }, body: Buffer.from(text) };
}

/** An answer that came whole: with a status it says everything itself, else it is the body. */
export function answerOf(payload: Buffer): UrlAnswer {
  const value = parse(payload);
  if (value === undefined) return failedAnswer();
  if (typeof value !== "object" || value === null || !("statusCode" in value)) {
    const body = typeof value === "string" ? Buffer.from(value) : payload;
    return { status: 200, headers: { "content-type": "application/json" }, body };
  }
  const { body = "", isBase64Encoded } = value as { body?: unknown; isBase64Encoded?: unknown };
  const head = headOf(value);
  if (!head || (typeof body !== "string" && body !== null)) return failedAnswer();
  return { ...head, body: Buffer.from(body ?? "", isBase64Encoded === true ? "base64" : "utf8") };
}

/** Status and headers as a streamed answer's metadata say them; undefined where they cannot be. */
export function preludeOf(metadata: Buffer): Omit<UrlAnswer, "body"> | undefined {
  const value = parse(metadata);
  return typeof value === "object" && value !== null ? headOf(value) : undefined;
}

function headOf(value: object): Omit<UrlAnswer, "body"> | undefined {
  const { statusCode, headers, cookies } = value as Record<string, unknown>;
  const status = statusCode === undefined ? 200 : Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined;
  const said: Record<string, string | string[]> = { "content-type": "application/json" };
  for (const [name, given] of Object.entries(headers ?? {})) {
    const text = String(given);
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(text)) return undefined;
    if (!UNSAID.has(name.toLowerCase())) said[name.toLowerCase()] = text;
  }
  if (cookies !== undefined) {
    if (!Array.isArray(cookies) || !cookies.every((one) => HEADER_VALUE.test(String(one)))) return undefined;
    if (cookies.length > 0) said["set-cookie"] = cookies.map(String);
  }
  return { status, headers: said };
}

function parse(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString());
  } catch {
    return undefined;
  }
}
