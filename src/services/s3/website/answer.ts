/** What a website's visitors see: an object with its headers, or a page that tells what is wrong. */
import type { WireResponse } from "../../../aws/index.ts";
import { AwsError } from "../../../aws/errors.ts";
import { STATUS_CODES } from "node:http";
import type { Output, RequestContext } from "../../../aws/service.ts";
import { hostIdOf } from "../notification/send.ts";
import type { Client } from "../operations/client.ts";

const TYPE = "text/html; charset=utf-8";

export function objectAnswer(found: Output<Client, "GetObject">, context: RequestContext): WireResponse {
  const named = {
    "accept-ranges": found.AcceptRanges,
    "cache-control": found.CacheControl,
    "content-disposition": found.ContentDisposition,
    "content-encoding": found.ContentEncoding,
    "content-language": found.ContentLanguage,
    "content-length": found.ContentLength === undefined ? undefined : String(found.ContentLength),
    "content-range": found.ContentRange,
    "content-type": found.ContentType,
    etag: found.ETag,
    "last-modified": found.LastModified?.toUTCString(),
    "x-amz-version-id": found.VersionId,
  };
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(named)) if (value !== undefined) headers[name] = value;
  for (const [name, value] of Object.entries(found.Metadata ?? {})) headers[`x-amz-meta-${name}`] = value;
  return { status: context.responseStatus ?? 200, headers, body: found.Body };
}

/** What is not an AwsError is a mistake of ours, or a URL of the visitor's that is none. */
export function errorPage(error: unknown, requestId: string): WireResponse {
  const known =
    error instanceof AwsError
      ? error
      : error instanceof URIError
        ? new AwsError("InvalidURI", "Couldn't parse the specified URI.", {}, 400)
        : new AwsError("InternalError", "We encountered an internal error. Please try again.", {}, 500);
  const { status = 500, code, message, members } = known;
  const title = `${status} ${STATUS_CODES[status] ?? ""}`;
  const told = {
    Code: code,
    Message: message,
    ...members,
    RequestId: requestId,
    HostId: hostIdOf(requestId),
  };
  const items = Object.entries(told).map(([name, value]) => `<li>${name}: ${escape(value)}</li>\n`);
  const body = `<html>\n<head><title>${title}</title></head>\n<body>\n<h1>${title}</h1>\n<ul>\n${items.join("")}</ul>\n<hr/>\n</body>\n</html>\n`;
  return { status, headers: { "content-type": TYPE }, body };
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
}
