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
  if (authorization?.startsWith("AWS4-")) return fromHeader(authorization);
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

function fromHeader(authorization: string): SignatureParts {
  const space = authorization.indexOf(" ");
  const fields = new Map<string, string>();
  for (const part of authorization.slice(space + 1).split(",")) {
    const equals = part.indexOf("=");
    if (equals > 0) fields.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  return {
    place: "header",
    algorithm: authorization.slice(0, space < 0 ? undefined : space),
    scope: scopes.get(fields.get("Credential") ?? ""),
    signedHeaders: headerLists.get(fields.get("SignedHeaders") ?? ""),
    signature: fields.get("Signature") ?? "",
  };
}

function parseScope(text: string): CredentialScope | undefined {
  const [, accessKeyId, date, region, signingName] = CREDENTIAL.exec(text) ?? [];
  if (accessKeyId === undefined || date === undefined || region === undefined || signingName === undefined)
    return undefined;
  return { accessKeyId, date, region, signingName };
}

/** What callers repeat in every request is read once. */
const scopes = new Memo(parseScope);
const headerLists = new Memo((text): readonly string[] => text.split(";"));
