/** Who signed a text of their own, not a request: the policy of a form that a browser sends to S3. */
import { createHmac } from "node:crypto";
import type { KeyRecord } from "../authentication.ts";
import type { CredentialScope } from "./credential.ts";
import { sameSignature } from "./sigv4.ts";
import type { SigningKeys } from "./signing-key.ts";

/** A text with its signature, and whose key made that. */
export interface SignedText {
  readonly text: string;
  readonly accessKeyId: string;
  readonly sessionToken: string | undefined;
  /** By Signature Version 4 in hexadecimal, by Version 2 in base64. */
  readonly signature: string;
  /** Absent for Signature Version 2, which has none. */
  readonly scope?: CredentialScope;
}

/** Whether the key makes the signature: HMAC-SHA256 by the scope's signing key, or Version 2's HMAC-SHA1 by the secret key. */
export function isSignedBy(
  { text, signature, scope }: SignedText,
  record: KeyRecord,
  keys: SigningKeys,
): boolean {
  if (scope) return sameSignature(keys.get(record.secretAccessKey, scope).sign(text), signature);
  const expected = createHmac("sha1", record.secretAccessKey).update(text, "utf8").digest("hex");
  return sameSignature(expected, Buffer.from(signature, "base64").toString("hex"));
}

/** What S3 tells of a signature that does not match. */
export function mismatchMembers({ text, signature, accessKeyId }: SignedText): Record<string, string> {
  const bytes = Buffer.from(text, "utf8").toString("hex").match(/../g) ?? [];
  return {
    AWSAccessKeyId: accessKeyId,
    StringToSign: text,
    SignatureProvided: signature,
    StringToSignBytes: bytes.join(" "),
  };
}
