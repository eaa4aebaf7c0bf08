/** Reads who signed a request, and for which service, region and day: the credential scope. */
import { Memo } from "../../kit/memo.ts";
import type { WireRequest } from "../http/wire-request.ts";
import { headerText } from "../http/wire-request.ts";

export interface CredentialScope {
  readonly accessKeyId: string;
  /** `20261123`. */
  readonly date: string;
  readonly region: string;
  readonly signingName: string;
}

export interface SignatureParts {
  readonly place: "header" | "query";
  readonly algorithm: string;
  /** Undefined where the credential is malformed. */
  readonly scope: CredentialScope | undefined;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const CREDENTIAL = /^([^/]+(?:\/[^/]+)*?)\/(\d{8})\/([^/]*)\/([^/]+)\/aws4_request$/;

/** What the Authorization header or a presigned URL says; undefined for an anonymous request. */
export function readSignature(request: WireRequest): SignatureParts | undefined {
  const authorization = headerText(request.headers, "authorization");
  const signature = authorization === undefined ? undefined : signatureInHeader(authorization);
  if (signature) return signature;
  const algorithm = request.query.get("X-Amz-Algorithm")?.[0];
  if (algorithm === undefined) return undefined;
  const value = (name: string) => request.query.get(name)?.[0] ?? "";
  return {
    place: "query",
    algorithm,
    scope: parseScope(value("X-Amz-Credential")),
    signedHeaders: value("X-Amz-SignedHeaders").split(";"),
    signature: value("X-Amz-Signature"),
  };
}

/** What an Authorization header says; undefined for one of another kind. */
export function signatureInHeader(authorization: string): SignatureParts | undefined {
  if (!authorization.startsWith("AWS4-")) return undefined;
  // All but the signature is the same in many requests of a caller, who puts that last.
  const at = authorization.lastIndexOf(SIGNATURE);
  const signature = authorization.slice(at + SIGNATURE.length);
  if (at < 0 || signature.includes(",")) return parseHeader(authorization);
  return { ...beginnings.get(authorization.slice(0, at)), signature: signature.trim() };
}

function parseHeader(authorization: string): SignatureParts {
  const space = authorization.indexOf(" ");
  const fields = new Map<string, string>();
  for (const part of authorization.slice(space + 1).split(",")) {
    const equals = part.indexOf("=");
    if (equals > 0) fields.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  return {
    place: "header",
    algorithm: authorization.slice(0, space < 0 ? undefined : space),
    scope: parseScope(fields.get("Credential") ?? ""),
    signedHeaders: (fields.get("SignedHeaders") ?? "").split(";"),
    signature: fields.get("Signature") ?? "",
  };
}

/** A credential's parts; undefined where it is malformed. */
export function parseScope(text: string): CredentialScope | undefined {
  const [, accessKeyId, date, region, signingName] = CREDENTIAL.exec(text) ?? [];
  if (accessKeyId === undefined || date === undefined || region === undefined || signingName === undefined)
    return undefined;
  return { accessKeyId, date, region, signingName };
}

const SIGNATURE = "Signature=";
const beginnings = new Memo(parseHeader);
