/** Who signed a form, by the fields of Signature Version 4 or of Version 2, which boto3 makes unless told otherwise. */
import type { SignedText } from "../../../aws/auth/signed-text.ts";
import { parseScope } from "../../../aws/auth/credential.ts";
import type { CredentialScope } from "../../../aws/auth/credential.ts";
import { parseAmzDate } from "../../../aws/auth/validity.ts";
import { notImplemented } from "../../../aws/errors.ts";
import type { AwsError } from "../../../aws/errors.ts";
import { invalidArgument, s3Error } from "../errors.ts";
import type { Fields } from "./fields.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";
const V4 = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"] as const;
const V2 = ["AWSAccessKeyId", "Signature"] as const;
const POLICY = "Policy";
/** A signing key is good for seven days. */
const SIGNATURE_LIFE_MS = 604_800_000;

/**
 * What the form's policy is signed with; undefined for a form that is not signed.
 * @param now Epoch milliseconds. @throws InvalidArgument for a field that is missing or malformed; AccessDenied for an old signature
 */
export function signatureOf(fields: Fields, now: number): SignedText | undefined {
  const has = (name: string) => fields.has(name.toLowerCase());
  const sessionToken = fields.get("x-amz-security-token")?.value;
  if (V4.some(has)) {
    const [algorithm, credential, date, signature] = V4.map((name) => required(fields, name));
    if (algorithm !== ALGORITHM) throw notImplemented(`the signing algorithm ${algorithm}`);
    checkDate(date ?? "", now);
    const scope = readCredential(credential ?? "");
    const text = required(fields, POLICY);
    return { text, accessKeyId: scope.accessKeyId, sessionToken, signature: signature ?? "", scope };
  }
  if (!V2.some(has)) return undefined;
  const [accessKeyId = "", signature = ""] = V2.map((name) => required(fields, name));
  return { text: required(fields, POLICY), accessKeyId, sessionToken, signature };
}

/** @throws InvalidArgument where the form was signed for another region than the bucket's */
export function requireRegion(fields: Fields, signed: SignedText | undefined, region: string): void {
  const given = signed?.scope?.region;
  if (given === undefined || given === region) return;
  throw s3Error(
    "InvalidArgument",
    {
      ArgumentName: "X-Amz-Credential",
      ArgumentValue: fields.get("x-amz-credential")?.value,
      Region: region,
    },
    `the region '${given}' is wrong; expecting '${region}'`,
  );
}

/** @throws InvalidArgument */
export function required(fields: Fields, name: string): string {
  const value = fields.get(name.toLowerCase())?.value;
  if (value === undefined || value === "")
    throw invalidArgument(
      `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
      name,
      "",
    );
  return value;
}

function checkDate(date: string, now: number): void {
  const signedAt = parseAmzDate(date);
  if (Number.isNaN(signedAt))
    throw invalidArgument("X-Amz-Date must be formated via ISO8601 Long format", "X-Amz-Date", date);
  if (now > signedAt + SIGNATURE_LIFE_MS)
    throw s3Error("AccessDenied", {}, "Invalid according to Policy: Policy expired.");
}

function readCredential(text: string): CredentialScope {
  const scope = parseScope(text);
  if (!scope)
    throw malformed(
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
      text,
    );
  if (scope.signingName !== "s3")
    throw malformed(`incorrect service "${scope.signingName}". This endpoint belongs to "s3".`, text);
  return scope;
}

function malformed(text: string, credential: string): AwsError {
  return invalidArgument(text, "X-Amz-Credential", credential);
}
