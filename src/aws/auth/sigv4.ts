/** Signature Version 4 as the server sees it: canonical request, string to sign, chunk signatures. */
import { hash } from "node:crypto";
import type { WireRequest } from "../http/wire-request.ts";
import type { CredentialScope } from "./credential.ts";
import type { SigningKey } from "./signing-key.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";
export const EMPTY_SHA256 = hash("sha256", "");

/** What of a request is signed, beside its body. */
export type SignedHead = Pick<WireRequest, "method" | "path" | "rawQuery" | "headers" | "host">;

export interface SignedRequest {
  readonly request: SignedHead;
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  /** Lower-case hexadecimal, as sent. */
  readonly signature: string;
  /** `20261123T101500Z` */
  readonly amzDate: string;
  readonly payloadHash: string;
  readonly isPresigned: boolean;
}

export interface SignatureCheck {
  readonly matches: boolean;
  /** What we computed from, which S3 tells a caller whose signature does not match. */
  readonly canonicalRequest: string;
  readonly stringToSign: string;
}

/** Whether the key makes the signature. S3's path is encoded once, every other service's twice. */
export function checkSignature(signed: SignedRequest, key: SigningKey): SignatureCheck {
  const [first, ...others] = canonicalPaths(signed).map((path) => checkWithPath(signed, path, key));
  return others.find((check) => check.matches) && !first?.matches
    ? (others.find((check) => check.matches) as SignatureCheck)
    : (first as SignatureCheck);
}

function checkWithPath(signed: SignedRequest, path: string, key: SigningKey): SignatureCheck {
  const { request, signedHeaders } = signed;
  const query = canonicalQuery(request.rawQuery, signed.isPresigned);
  let headers = "";
  for (const name of signedHeaders) headers += `${name}:${headerValue(request, name)}\n`;
  if (isUntidy(headers)) headers = tidied(request, signedHeaders);
  const canonicalRequest =
    `${request.method}\n${path}\n${query}\n${headers}\n` +
    `${signedHeaders.join(";")}\n${signed.payloadHash}`;
  const digest = hash("sha256", canonicalRequest);
  const stringToSign = `${ALGORITHM}\n${signed.amzDate}\n${scopeText(signed.scope)}\n${digest}`;
  return {
    matches: sameSignature(key.sign(stringToSign), signed.signature),
    canonicalRequest,
    stringToSign,
  };
}

/** `20261123/us-east-1/s3/aws4_request` */
export function scopeText({ date, region, signingName }: CredentialScope): string {
  return `${date}/${region}/${signingName}/aws4_request`;
}

/** The signature of one link of an aws-chunked body. */
export function chainSignature(
  kind: "PAYLOAD" | "TRAILER",
  key: SigningKey,
  link: {
    readonly amzDate: string;
    readonly scope: CredentialScope;
    readonly previous: string;
    readonly sha256: string;
  },
): string {
  const head = [`${ALGORITHM}-${kind}`, link.amzDate, scopeText(link.scope), link.previous];
  const tail = kind === "PAYLOAD" ? [EMPTY_SHA256, link.sha256] : [link.sha256];
  return key.sign([...head, ...tail].join("\n"));
}

/** Compares two signatures in hexadecimal, the first in lower case, in a time that does not tell where they differ. */
export function sameSignature(expected: string, given: string): boolean {
  if (given.length !== expected.length) return false;
  const lower = given.toLowerCase();
  let difference = 0;
  for (let at = 0; at < expected.length; at++) difference |= expected.charCodeAt(at) ^ lower.charCodeAt(at);
  return difference === 0;
}

/** What needs no encoding, however often it is encoded: most paths. */
const PLAIN_PATH = /^[\w\-.~/]+$/;

/** The path as the client must have signed it; where it may have encoded otherwise than it sent, both forms. */
function canonicalPaths({ request, scope }: SignedRequest): string[] {
  const path = request.path === "" ? "/" : request.path;
  if (PLAIN_PATH.test(path)) return [path];
  if (scope.signingName !== "s3") {
    const twice = path
      .split("/")
      .map((part) => uriEncode(part))
      .join("/");
    return twice === path ? [path] : [twice, path];
  }
  const once = path
    .split("/")
    .map((part) => uriEncode(decodeURIComponent(part)))
    .join("/");
  return once === path ? [path] : [path, once];
}

function canonicalQuery(rawQuery: string, isPresigned: boolean): string {
  if (rawQuery === "") return "";
  const pairs = rawQuery
    .split("&")
    .filter((pair) => pair !== "" && !(isPresigned && pair.startsWith("X-Amz-Signature=")))
    .map((pair) => {
      const equals = pair.indexOf("=");
      const name = equals < 0 ? pair : pair.slice(0, equals);
      const value = equals < 0 ? "" : pair.slice(equals + 1);
      return [reencode(name), reencode(value)] as const;
    });
  return pairs
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/** As AWS decodes it, a plus is a plus here: clients that mean a space send %20. */
function reencode(text: string): string {
  return uriEncode(decodeURIComponent(text));
}

/** RFC 3986: all but letters, digits and `-._~`. */
function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Whether there may be blanks that the canonical form leaves out; asked of all headers together, which is nearly always no. */
function isUntidy(headers: string): boolean {
  return (
    headers.includes("  ") ||
    headers.includes(": ") ||
    headers.includes(" \n") ||
    headers.includes("\t") ||
    headers.includes("\u00a0")
  );
}

function tidied(request: SignedHead, signedHeaders: readonly string[]): string {
  return signedHeaders
    .map((name) => `${name}:${headerValue(request, name).trim().replace(/\s+/g, " ")}\n`)
    .join("");
}

function headerValue(request: SignedHead, name: string): string {
  const value = name === "host" ? request.host : request.headers[name];
  return Array.isArray(value) ? value.join(",") : (value ?? "");
}
