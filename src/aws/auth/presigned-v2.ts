/**
 * Presigned URLs of Signature Version 2 (`AWSAccessKeyId`, `Expires`, `Signature`), which S3 still takes and boto3 still makes
 * in us-east-1 unless told otherwise. Signature Version 2 in a header is refused.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { headerText } from "../http/wire-request.ts";
import type { WireRequest } from "../http/wire-request.ts";
import { bucketOfHost } from "../route/virtual-host.ts";

export interface PresignedV2 {
  readonly accessKeyId: string;
  /** Epoch seconds, as sent. */
  readonly expires: string;
  readonly signature: string;
  readonly sessionToken: string | undefined;
}

/** Query parameters that name a part of a resource, or change the response, and are therefore signed. */
const SIGNED_PARAMETERS = new Set([
  "acl",
  "cors",
  "delete",
  "lifecycle",
  "location",
  "logging",
  "notification",
  "partNumber",
  "policy",
  "requestPayment",
  "response-cache-control",
  "response-content-disposition",
  "response-content-encoding",
  "response-content-language",
  "response-content-type",
  "response-expires",
  "restore",
  "tagging",
  "torrent",
  "uploadId",
  "uploads",
  "versionId",
  "versioning",
  "versions",
  "website",
]);

/** Undefined where the URL is not presigned so. */
export function readPresignedV2({ query }: WireRequest): PresignedV2 | undefined {
  const accessKeyId = query.get("AWSAccessKeyId")?.[0];
  const signature = query.get("Signature")?.[0];
  if (accessKeyId === undefined || signature === undefined) return undefined;
  const expires = query.get("Expires")?.[0] ?? "";
  return { accessKeyId, expires, signature, sessionToken: query.get("x-amz-security-token")?.[0] };
}

/** Whether the secret makes the URL's signature. */
export function checkPresignedV2(
  request: WireRequest,
  { expires, signature }: PresignedV2,
  secret: string,
): boolean {
  const expected = createHmac("sha1", secret).update(stringToSign(request, expires)).digest();
  const given = Buffer.from(signature, "base64");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function stringToSign(request: WireRequest, expires: string): string {
  // What the signer had as a header may have become a parameter of the URL.
  const value = (name: string) => headerText(request.headers, name) ?? request.query.get(name)?.[0] ?? "";
  const names = [...Object.keys(request.headers), ...request.query.keys()].filter((name) =>
    name.startsWith("x-amz-"),
  );
  const amzHeaders = [...new Set(names)].sort().map((name) => `${name}:${value(name)}\n`);
  const head = [request.method, value("content-md5"), value("content-type"), expires].join("\n");
  return `${head}\n${amzHeaders.join("")}${canonicalResource(request)}`;
}

function canonicalResource(request: WireRequest): string {
  const bucket = bucketOfHost(request.host);
  const parameters = [...request.query]
    .filter(([name]) => SIGNED_PARAMETERS.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, [value = ""]]) => (value === "" ? name : `${name}=${value}`));
  const path = bucket === undefined ? request.path : `/${bucket}${request.path}`;
  return parameters.length > 0 ? `${path}?${parameters.join("&")}` : path;
}
