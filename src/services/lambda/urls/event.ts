/**
 * The event that a function gets of a request to its URL: payload format 2.0.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
import type { Principal } from "../../../aws/service.ts";

/** A request as it came. */
export interface UrlRequest {
  readonly method: string;
  /** As sent, still percent-encoded. */
  readonly path: string;
  readonly rawQuery: string;
  /** Decoded. */
  readonly query: ReadonlyMap<string, readonly string[]>;
  /** Lower-case names; every value. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  /** `HTTP/1.1` */
  readonly protocol: string;
  readonly body: Buffer;
  readonly sourceIp: string;
}

export interface UrlCall {
  readonly request: UrlRequest;
  readonly urlId: string;
  readonly requestId: string;
  readonly traceHeader: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Who calls a URL of AuthType AWS_IAM. */
  readonly principal: Principal | undefined;
}

/** What is text to AWS; all else is given as base64. */
const TEXT = /^(text\/.*|application\/(json|xml|javascript|.*\+(json|xml)))$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function urlEvent(call: UrlCall): Buffer {
  const { request } = call;
  const host = request.headers["host"]?.[0] ?? "";
  const cookies = (request.headers["cookie"] ?? []).flatMap((one) => one.split(/; */)).filter(Boolean);
  const query = [...request.query].map(([name, values]) => [name, values.join(",")]);
  const hasBody = request.body.length > 0;
  const isText = TEXT.test((request.headers["content-type"]?.[0] ?? "").split(";")[0]?.trim() ?? "");
  return Buffer.from(
    JSON.stringify({
      version: "2.0",
      routeKey: "$default",
      rawPath: request.path,
      rawQueryString: request.rawQuery,
      ...(cookies.length > 0 && { cookies }),
      headers: headersOf(call, host),
      ...(query.length > 0 && { queryStringParameters: Object.fromEntries(query) as object }),
      requestContext: contextOf(call, host),
      ...(hasBody && { body: request.body.toString(isText ? "utf8" : "base64") }),
      isBase64Encoded: hasBody && !isText,
    }),
  );
}

/** Those of the request, one value each, and what AWS's front adds. */
function headersOf({ request, traceHeader }: UrlCall, host: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headers))
    if (values && name !== "cookie" && !name.startsWith(":")) headers[name] = values.join(",");
  const [, port = "80"] = /:(\d+)$/.exec(host) ?? [];
  return {
    ...headers,
    "x-amzn-trace-id": traceHeader,
    "x-forwarded-for": [headers["x-forwarded-for"], request.sourceIp].filter(Boolean).join(", "),
    "x-forwarded-port": port,
    "x-forwarded-proto": "http",
  };
}

function contextOf({ request, urlId, requestId, now, principal }: UrlCall, host: string) {
  return {
    accountId: principal?.account ?? "anonymous",
    apiId: urlId,
    ...(principal && { authorizer: { iam: identityOf(principal) } }),
    domainName: host.replace(/:\d+$/, ""),
    domainPrefix: urlId,
    http: {
      method: request.method,
      path: request.path,
      protocol: request.protocol,
      sourceIp: request.sourceIp,
      userAgent: request.headers["user-agent"]?.[0] ?? "",
    },
    requestId,
    routeKey: "$default",
    stage: "$default",
    time: timeText(now),
    timeEpoch: now,
  };
}

function identityOf({ accessKeyId, account, userId, arn }: Principal) {
  return {
    accessKey: accessKeyId ?? "",
    accountId: account,
    callerId: userId,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: arn,
    userId,
  };
}

/** `12/Mar/2026:19:03:58 +0000` */
function timeText(now: number): string {
  const iso = new Date(now).toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
