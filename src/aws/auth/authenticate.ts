/** Says who calls: by verified signature with authentication on, by access key id alone with it off. */
import { hash } from "node:crypto";
import type { Clock } from "../../kit/clock.ts";
import type { AccessKeys, KeyRecord } from "../authentication.ts";
import { AwsError, notImplemented } from "../errors.ts";
import type { PayloadProof } from "../http/transfer-codings.ts";
import { headerText } from "../http/wire-request.ts";
import type { WireRequest } from "../http/wire-request.ts";
import { anonymousOperations, anonymousServices } from "../patches.ts";
import type { Principal } from "../service.ts";
import type { Target } from "../route/target.ts";
import { authError } from "./auth-errors.ts";
import type { AuthFailure } from "./auth-errors.ts";
import { chunkVerifier } from "./chunk-verifier.ts";
import type { CredentialScope, SignatureParts } from "./credential.ts";
import { checkPresignedV2, readPresignedV2 } from "./presigned-v2.ts";
import type { PresignedV2 } from "./presigned-v2.ts";
import { isSignedBy, mismatchMembers } from "./signed-text.ts";
import type { SignedText } from "./signed-text.ts";
import { createSigningKeys } from "./signing-key.ts";
import type { SigningKeys } from "./signing-key.ts";
import { checkSignature } from "./sigv4.ts";
import type { SignedHead, SignedRequest } from "./sigv4.ts";
import { checkExpires, checkPresignedLife, checkSkew, parseAmzDate } from "./validity.ts";

export interface Caller {
  readonly principal: Principal;
  readonly region: string;
  /** What the signature says about the body, to be held against it while it is read. */
  readonly proof: PayloadProof;
}

export interface Authenticator {
  /** @throws AwsError with the code that AWS uses in the target's protocol */
  authenticate(
    request: WireRequest,
    signature: SignatureParts | undefined,
    target: Target,
    operation: string,
  ): Promise<Caller>;
  /**
   * The caller of a request that is signed in its headers and came whole, where they can be told without waiting and nothing is wrong.
   * Undefined says nothing: `authenticate` has to be asked.
   */
  callerNow(
    request: SignedHead,
    body: Buffer,
    signature: SignatureParts,
    target: Target,
  ): Omit<Caller, "proof"> | undefined;
  /** The caller who holds an access key, which a service has verified by other means than a signature. @throws AwsError as `authenticate` */
  callerOf(holder: KeyHolder, target: Target): Promise<Caller>;
  /** The caller who signed a text; for none, nobody with authentication on. @throws AwsError as `authenticate` */
  signerOf(signed: SignedText | undefined, target: Target): Promise<Caller>;
}

/** What a service's own credential says: whose access key it stands for, and the region it was given out in. */
export interface KeyHolder {
  /** Undefined where no credential came. */
  readonly accessKeyId?: string | undefined;
  readonly region?: string | undefined;
}

interface AuthenticatorOptions {
  readonly authentication: "off" | "on";
  readonly accessKeys: AccessKeys;
  readonly clock: Clock;
  /** The clock that callers date their requests by; `clock` where it is not told. */
  readonly signingClock?: Clock;
  readonly defaultRegion: string;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
/** The account of callers who name none. */
export const DEFAULT_ACCOUNT = "000000000000";
const ACCOUNT = /^\d{12}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const NO_PROOF: PayloadProof = {};
const SIGNED_CHUNKS = ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"];
const UNSIGNED = ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"];

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const keys = createSigningKeys();
  return {
    async authenticate(request, signature, target, operation) {
      const fail = (failure: AuthFailure) => authError(target.protocolName, failure);
      const region = signature?.scope?.region || options.defaultRegion;
      const presigned = signature ? undefined : readPresignedV2(request);
      if (presigned)
        return {
          region,
          principal: await presignedCaller(options, request, presigned, fail),
          proof: NO_PROOF,
        };
      if (options.authentication === "on") {
        if (signature)
          return { region, ...(await verified(options, keys, request, signature, target, fail)) };
        const { name } = target.model.metadata;
        if (!anonymousServices.includes(name) && !anonymousOperations[name]?.includes(operation))
          throw fail({ kind: "missing" });
        return { region, principal: ANONYMOUS, proof: NO_PROOF };
      }
      if (signature?.place === "query") checkPresignedLife(request, signedNow(options), fail);
      const record = signature?.scope && (await options.accessKeys.find(signature.scope.accessKeyId));
      return {
        principal: record?.principal ?? rootOf(signature?.scope?.accessKeyId),
        region,
        proof: NO_PROOF,
      };
    },
    callerNow(request, body, signature, target) {
      const { scope } = signature;
      const record = scope && options.accessKeys.known(scope.accessKeyId);
      if (!scope || record === undefined) return undefined;
      const region = scope.region || options.defaultRegion;
      if (options.authentication === "off")
        return { region, principal: record?.principal ?? rootOf(scope.accessKeyId) };
      if (!record || !verifiedNow(options, keys, { request, body, signature, scope, target, record }))
        return undefined;
      return { region, principal: record.principal };
    },
    async callerOf({ accessKeyId, region = options.defaultRegion }, target) {
      const fail = (failure: AuthFailure) => authError(target.protocolName, failure);
      const record = accessKeyId === undefined ? undefined : await options.accessKeys.find(accessKeyId);
      if (options.authentication === "on") {
        if (accessKeyId === undefined) throw fail({ kind: "missing" });
        if (!record?.active) throw fail({ kind: "unknown-key" });
        if (record.expiresAt !== undefined && record.expiresAt <= options.clock.now())
          throw fail({ kind: "expired-token" });
      }
      return { region, principal: record?.principal ?? rootOf(accessKeyId), proof: NO_PROOF };
    },
    async signerOf(signed, target) {
      const region = signed?.scope?.region || options.defaultRegion;
      return { region, principal: await signer(options, keys, signed, target), proof: NO_PROOF };
    },
  };
}

async function signer(
  { authentication, accessKeys, clock }: AuthenticatorOptions,
  keys: SigningKeys,
  signed: SignedText | undefined,
  target: Target,
): Promise<Principal> {
  const record = signed && (await accessKeys.find(signed.accessKeyId));
  if (authentication === "off") return record?.principal ?? rootOf(signed?.accessKeyId);
  if (!signed) return ANONYMOUS;
  const fail = (failure: AuthFailure) => authError(target.protocolName, failure);
  if (!record?.active) throw fail({ kind: "unknown-key", members: { AWSAccessKeyId: signed.accessKeyId } });
  checkToken(record, signed.sessionToken, clock.now(), fail);
  if (!isSignedBy(signed, record, keys))
    throw fail({ kind: "bad-signature", members: mismatchMembers(signed) });
  return record.principal;
}

interface WholeRequest {
  readonly request: SignedHead;
  readonly body: Buffer;
  readonly signature: SignatureParts;
  readonly scope: CredentialScope;
  readonly target: Target;
  readonly record: KeyRecord;
}

/** Whether `verified` would find nothing wrong with a request whose hash is that of its body. */
function verifiedNow(
  options: AuthenticatorOptions,
  keys: SigningKeys,
  { request, body, signature, scope, target, record }: WholeRequest,
): boolean {
  const { signedHeaders, signature: given } = signature;
  const { "x-amz-date": amzDate, "x-amz-security-token": token } = request.headers;
  const { "x-amz-content-sha256": announced = "" } = request.headers;
  if (typeof amzDate !== "string" || typeof announced !== "string" || Array.isArray(token)) return false;
  if (!record.active || given === "" || signedHeaders[0] === "") return false;
  if (UNSIGNED.includes(announced) || announced.startsWith("STREAMING-")) return false;
  try {
    checkScope(scope, amzDate, target, wrong);
    checkSkew(amzDate, signedNow(options), wrong);
    checkToken(record, token, options.clock.now(), wrong);
  } catch {
    return false;
  }
  const payloadHash = hash("sha256", body);
  const signed = {
    request,
    scope,
    signedHeaders,
    signature: given,
    amzDate,
    payloadHash,
    isPresigned: false,
  };
  return checkSignature(signed, keys.get(record.secretAccessKey, scope)).matches;
}

/** What exactly is wrong is found, and said, by `verified`. */
const wrong: Fail = () => new AwsError("AccessDenied", "");

const ANONYMOUS: Principal = {
  type: "anonymous",
  account: DEFAULT_ACCOUNT,
  arn: "",
  userId: "anonymous",
  accessKeyId: undefined,
};

/** The root of the account that a 12-digit access key id names, else of the default account. */
function rootOf(accessKeyId: string | undefined): Principal {
  const account = accessKeyId !== undefined && ACCOUNT.test(accessKeyId) ? accessKeyId : DEFAULT_ACCOUNT;
  return { type: "root", account, arn: `arn:aws:iam::${account}:root`, userId: account, accessKeyId };
}

/**
 * Signatures that Lambent cannot verify are refused by name, also where none is verified.
 * @throws AwsError NotImplemented, or S3's InvalidRequest for Signature Version 2
 */
export function refuseOtherAlgorithms(request: WireRequest, signature: SignatureParts | undefined): void {
  if (signature && signature.algorithm !== ALGORITHM)
    throw notImplemented(`the signing algorithm ${signature.algorithm}`);
  if (headerText(request.headers, "authorization")?.startsWith("AWS "))
    throw new AwsError(
      "InvalidRequest",
      "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
      {},
      400,
    );
}

/** The caller of an S3 URL that is presigned by Signature Version 2. */
async function presignedCaller(
  options: AuthenticatorOptions,
  request: WireRequest,
  presigned: PresignedV2,
  fail: Fail,
): Promise<Principal> {
  const { authentication, accessKeys, clock } = options;
  checkExpires(presigned.expires, signedNow(options), fail);
  const record = await accessKeys.find(presigned.accessKeyId);
  if (authentication === "off") return record?.principal ?? rootOf(presigned.accessKeyId);
  if (!record?.active)
    throw fail({ kind: "unknown-key", members: { AWSAccessKeyId: presigned.accessKeyId } });
  checkToken(record, presigned.sessionToken, clock.now(), fail);
  if (!checkPresignedV2(request, presigned, record.secretAccessKey)) throw fail({ kind: "bad-signature" });
  return record.principal;
}

type Fail = (failure: AuthFailure) => AwsError;

/** When it is for those who sign. */
function signedNow({ clock, signingClock = clock }: AuthenticatorOptions): number {
  return signingClock.now();
}

async function verified(
  options: AuthenticatorOptions,
  keys: SigningKeys,
  request: WireRequest,
  signature: SignatureParts,
  target: Target,
  fail: Fail,
): Promise<{ principal: Principal; proof: PayloadProof }> {
  const { scope } = signature;
  if (!scope || signature.signature === "" || signature.signedHeaders[0] === "")
    throw fail({ kind: "incomplete", detail: incompleteText(request, signature) });
  const { accessKeys, clock } = options;
  const amzDate = readDate(request, signature);
  checkScope(scope, amzDate, target, fail);
  if (signature.place === "query") checkPresignedLife(request, signedNow(options), fail);
  else checkSkew(amzDate, signedNow(options), fail);
  const record = await accessKeys.find(scope.accessKeyId);
  if (!record?.active) throw fail({ kind: "unknown-key", members: { AWSAccessKeyId: scope.accessKeyId } });
  checkToken(record, tokenOf(request, signature), clock.now(), fail);
  const payloadHash = await signedPayloadHash(request, signature, fail);
  const signed: SignedRequest = {
    request,
    scope,
    signedHeaders: signature.signedHeaders,
    signature: signature.signature,
    amzDate,
    payloadHash,
    isPresigned: signature.place === "query",
  };
  const key = keys.get(record.secretAccessKey, scope);
  const check = checkSignature(signed, key);
  if (!check.matches)
    throw fail({
      kind: "bad-signature",
      members: {
        AWSAccessKeyId: scope.accessKeyId,
        StringToSign: check.stringToSign,
        SignatureProvided: signature.signature,
        CanonicalRequest: check.canonicalRequest,
      },
    });
  if (SIGNED_CHUNKS.includes(payloadHash))
    return { principal: record.principal, proof: { chunks: chunkVerifier(key, signed, fail) } };
  return {
    principal: record.principal,
    proof: provesStream(scope, payloadHash) ? { sha256: payloadHash } : NO_PROOF,
  };
}

function provesStream(scope: CredentialScope, payloadHash: string): boolean {
  return scope.signingName === "s3" && SHA256.test(payloadHash);
}

function incompleteText(request: WireRequest, signature: SignatureParts): string {
  const missing = [
    ...(signature.scope ? [] : ["Credential"]),
    ...(signature.signature === "" ? ["Signature"] : []),
    ...(signature.signedHeaders[0] === "" ? ["SignedHeaders"] : []),
  ];
  const parts = missing.map((name) => `Authorization header requires '${name}' parameter.`).join(" ");
  return `${parts} Authorization=${headerText(request.headers, "authorization")?.split(" ", 1)[0] ?? ""}`;
}

function readDate(request: WireRequest, signature: SignatureParts): string {
  if (signature.place === "query") return request.query.get("X-Amz-Date")?.[0] ?? "";
  const header = headerText(request.headers, "x-amz-date");
  if (header !== undefined) return header;
  // Without X-Amz-Date the Date header counts, in the form it is signed in.
  const date = new Date(request.headers.date ?? "");
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().replace(/[-:]|\.\d{3}/g, "");
}

function checkScope(scope: CredentialScope, amzDate: string, { model }: Target, fail: Fail): void {
  const { signingName } = model.metadata;
  if (scope.signingName !== signingName)
    throw fail({
      kind: "bad-scope",
      detail: `Credential should be scoped to correct service: '${signingName}'. `,
    });
  if (Number.isNaN(parseAmzDate(amzDate)))
    throw fail({
      kind: "incomplete",
      detail: "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    });
  if (!amzDate.startsWith(scope.date))
    throw fail({
      kind: "bad-scope",
      detail: `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.date}' != '${amzDate.slice(0, 8)}', from '${amzDate}'.`,
    });
}

function tokenOf(request: WireRequest, signature: SignatureParts): string | undefined {
  if (signature.place === "query") return request.query.get("X-Amz-Security-Token")?.[0];
  return headerText(request.headers, "x-amz-security-token");
}

function checkToken(record: KeyRecord, token: string | undefined, now: number, fail: Fail): void {
  if (token !== record.sessionToken) throw fail({ kind: "bad-token" });
  if (record.expiresAt !== undefined && record.expiresAt <= now) throw fail({ kind: "expired-token" });
}

/** What stands for the body in the canonical request. S3's is a stream, so it is held against its hash while it is read. */
async function signedPayloadHash(
  request: WireRequest,
  signature: SignatureParts,
  fail: Fail,
): Promise<string> {
  const given =
    headerText(request.headers, "x-amz-content-sha256") ?? request.query.get("X-Amz-Content-Sha256")?.[0];
  if (given !== undefined && (SIGNED_CHUNKS.includes(given) || UNSIGNED.includes(given))) return given;
  if (given?.startsWith("STREAMING-")) throw notImplemented(`the payload signature ${given}`);
  if (signature.scope?.signingName === "s3") {
    if (given !== undefined && SHA256.test(given)) return given;
    if (given === undefined && signature.place === "query") return "UNSIGNED-PAYLOAD";
    throw fail({ kind: "incomplete", detail: PAYLOAD_HASH_TEXT });
  }
  return hash("sha256", await request.body.raw());
}

const PAYLOAD_HASH_TEXT =
  "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.";
