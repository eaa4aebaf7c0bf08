/** The codes and words with which AWS refuses a caller, which differ by the family of protocol. */
import { AwsError } from "../errors.ts";
import type { WireProtocol } from "../model/format.ts";

export type AuthFailure =
  | { readonly kind: "missing" }
  | { readonly kind: "incomplete"; readonly detail: string }
  | { readonly kind: "unknown-key"; readonly accessKeyId: string }
  | { readonly kind: "bad-token" }
  | { readonly kind: "expired-token" }
  | { readonly kind: "bad-signature"; readonly members: Record<string, unknown> }
  | { readonly kind: "bad-scope"; readonly detail: string }
  | { readonly kind: "skewed"; readonly detail: string; readonly members: Record<string, unknown> }
  | { readonly kind: "expired-url"; readonly detail: string; readonly members: Record<string, unknown> };

type Family = "json" | "restJson" | "query" | "s3";

const FAMILIES: Readonly<Record<WireProtocol, Family>> = {
  restJson1: "restJson",
  restXml: "s3",
  awsJson1_0: "json",
  awsJson1_1: "json",
  rpcv2Cbor: "json",
  awsQuery: "query",
};

/** JSON services refuse with 400, REST and query ones with 403. */
const STATUS: Readonly<Record<Family, number>> = { json: 400, restJson: 403, query: 403, s3: 403 };

const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const INVALID_TOKEN = "The security token included in the request is invalid.";
const EXPIRED_TOKEN = "The security token included in the request is expired";

/** The error for a failure, in the words of the protocol's family. */
export function authError(protocol: WireProtocol, failure: AuthFailure): AwsError {
  const family = FAMILIES[protocol];
  if (family === "s3") return s3Error(failure);
  const isQuery = family === "query";
  const error = (code: string, message: string, status = STATUS[family]) =>
    // The query protocol's codes have no suffix.
    new AwsError(isQuery ? code : `${code}Exception`, message, {}, status);
  const signature = (message: string) =>
    isQuery ? error("SignatureDoesNotMatch", message) : error("InvalidSignature", message);
  const unknown = () =>
    isQuery ? error("InvalidClientTokenId", INVALID_TOKEN) : error("UnrecognizedClient", INVALID_TOKEN);
  switch (failure.kind) {
    case "missing":
      return error(
        "MissingAuthenticationToken",
        isQuery ? "Request is missing Authentication Token" : "Missing Authentication Token",
      );
    case "incomplete":
      return error("IncompleteSignature", failure.detail, isQuery ? 400 : undefined);
    case "unknown-key":
    case "bad-token":
      return unknown();
    case "expired-token":
      return error("ExpiredToken", EXPIRED_TOKEN);
    case "bad-signature":
      return signature(MISMATCH);
    case "bad-scope":
    case "skewed":
    case "expired-url":
      return signature(failure.detail);
  }
}

function s3Error(failure: AuthFailure): AwsError {
  const error = (code: string, message: string, status = 403, members: Record<string, unknown> = {}) =>
    new AwsError(code, message, members, status);
  switch (failure.kind) {
    case "missing":
      return error("AccessDenied", "Access Denied");
    case "incomplete":
      return error("AuthorizationHeaderMalformed", failure.detail, 400);
    case "unknown-key":
      return error(
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
        403,
        {
          AWSAccessKeyId: failure.accessKeyId,
        },
      );
    case "bad-token":
      return error("InvalidToken", "The provided token is malformed or otherwise invalid.", 400);
    case "expired-token":
      return error("ExpiredToken", "The provided token has expired.", 400);
    case "bad-signature":
      return error(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        403,
        failure.members,
      );
    case "bad-scope":
      return error("AuthorizationHeaderMalformed", failure.detail, 400);
    case "skewed":
      return error(
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
        403,
        failure.members,
      );
    case "expired-url":
      return error("AccessDenied", "Request has expired", 403, failure.members);
  }
}
