/** The codes and words with which AWS refuses a caller, which differ by the family of protocol. */
import { AwsError } from "../errors.ts";
import type { WireProtocol } from "../model/format.ts";

export type AuthFailureKind =
  | "missing"
  | "incomplete"
  | "unknown-key"
  | "bad-token"
  | "expired-token"
  | "bad-signature"
  | "bad-scope"
  | "skewed"
  | "expired-url";

export interface AuthFailure {
  readonly kind: AuthFailureKind;
  /** The message, where it depends on the request. */
  readonly detail?: string;
  /** What S3 tells besides. */
  readonly members?: Record<string, unknown>;
}

interface Words {
  readonly code: string;
  /** Used where the failure has no detail of its own. */
  readonly message: string;
  /** Where it is not the family's. */
  readonly status?: number;
  /** S3 has one text for all requests. */
  readonly fixed?: true;
}

const INVALID_TOKEN = "The security token included in the request is invalid.";
const EXPIRED_TOKEN = "The security token included in the request is expired";
const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

const JSON_WORDS = {
  missing: { code: "MissingAuthenticationTokenException", message: "Missing Authentication Token" },
  incomplete: { code: "IncompleteSignatureException", message: "" },
  "unknown-key": { code: "UnrecognizedClientException", message: INVALID_TOKEN },
  "bad-token": { code: "UnrecognizedClientException", message: INVALID_TOKEN },
  "expired-token": { code: "ExpiredTokenException", message: EXPIRED_TOKEN },
  "bad-signature": { code: "InvalidSignatureException", message: MISMATCH },
  "bad-scope": { code: "InvalidSignatureException", message: "" },
  skewed: { code: "InvalidSignatureException", message: "" },
  "expired-url": { code: "InvalidSignatureException", message: "" },
} as const satisfies Record<AuthFailureKind, Words>;

const QUERY_WORDS = {
  missing: { code: "MissingAuthenticationToken", message: "Request is missing Authentication Token" },
  incomplete: { code: "IncompleteSignature", message: "", status: 400 },
  "unknown-key": { code: "InvalidClientTokenId", message: INVALID_TOKEN },
  "bad-token": { code: "InvalidClientTokenId", message: INVALID_TOKEN },
  "expired-token": { code: "ExpiredToken", message: EXPIRED_TOKEN },
  "bad-signature": { code: "SignatureDoesNotMatch", message: MISMATCH },
  "bad-scope": { code: "SignatureDoesNotMatch", message: "" },
  skewed: { code: "SignatureDoesNotMatch", message: "" },
  "expired-url": { code: "SignatureDoesNotMatch", message: "" },
} as const satisfies Record<AuthFailureKind, Words>;

const S3_WORDS = {
  missing: { code: "AccessDenied", message: "Access Denied" },
  incomplete: { code: "AuthorizationHeaderMalformed", message: "", status: 400 },
  "unknown-key": {
    code: "InvalidAccessKeyId",
    message: "The AWS Access Key Id you provided does not exist in our records.",
  },
  "bad-token": {
    code: "InvalidToken",
    message: "The provided token is malformed or otherwise invalid.",
    status: 400,
  },
  "expired-token": { code: "ExpiredToken", message: "The provided token has expired.", status: 400 },
  "bad-signature": {
    code: "SignatureDoesNotMatch",
    message:
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  },
  "bad-scope": { code: "AuthorizationHeaderMalformed", message: "", status: 400 },
  skewed: {
    code: "RequestTimeTooSkewed",
    message: "The difference between the request time and the current time is too large.",
    fixed: true,
  },
  "expired-url": { code: "AccessDenied", message: "Request has expired", fixed: true },
} as const satisfies Record<AuthFailureKind, Words>;

interface Family {
  readonly words: Record<AuthFailureKind, Words>;
  readonly status: number;
  readonly tellsMembers: boolean;
}

const JSON_FAMILY: Family = { words: JSON_WORDS, status: 400, tellsMembers: false };

const FAMILIES: Readonly<Record<WireProtocol, Family>> = {
  restJson1: { ...JSON_FAMILY, status: 403 },
  restXml: { words: S3_WORDS, status: 403, tellsMembers: true },
  awsJson1_0: JSON_FAMILY,
  awsJson1_1: JSON_FAMILY,
  rpcv2Cbor: JSON_FAMILY,
  awsQuery: { words: QUERY_WORDS, status: 403, tellsMembers: false },
};

/** The error for a failure, in the words of the protocol's family. */
export function authError(protocol: WireProtocol, failure: AuthFailure): AwsError {
  const family = FAMILIES[protocol];
  const words = family.words[failure.kind];
  const message = words.fixed ? words.message : (failure.detail ?? words.message);
  const members = family.tellsMembers ? (failure.members ?? {}) : {};
  return new AwsError(words.code, message, members, words.status ?? family.status);
}
