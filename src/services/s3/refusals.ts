/** Members that operations know and do not do: ACLs as buckets with enforced ownership answer, the rest by name. */
import { notImplemented } from "../../aws/errors.ts";
import { s3Error } from "./errors.ts";

/** What a bucket whose ownership is enforced takes, because it changes nothing. */
const HARMLESS_ACLS = new Set(["private", "bucket-owner-full-control"]);

/** Members that ask for something Lambent does not do, with the words that name it. */
const REFUSED = {
  SSEKMSKeyId: "server-side encryption with KMS keys (x-amz-server-side-encryption-aws-kms-key-id)",
  SSEKMSEncryptionContext: "server-side encryption with KMS keys (x-amz-server-side-encryption-context)",
  BucketKeyEnabled: "bucket keys (x-amz-server-side-encryption-bucket-key-enabled)",
  SSECustomerAlgorithm:
    "server-side encryption with customer keys (x-amz-server-side-encryption-customer-algorithm)",
  SSECustomerKey: "server-side encryption with customer keys (x-amz-server-side-encryption-customer-key)",
  SSECustomerKeyMD5:
    "server-side encryption with customer keys (x-amz-server-side-encryption-customer-key-MD5)",
  CopySourceSSECustomerAlgorithm: "server-side encryption with customer keys of a copy's source",
  CopySourceSSECustomerKey: "server-side encryption with customer keys of a copy's source",
  CopySourceSSECustomerKeyMD5: "server-side encryption with customer keys of a copy's source",
  ObjectLockEventHold: "retentions that an event begins (x-amz-object-lock-event-hold)",
  ObjectLockEventHoldDurationDays:
    "retentions that an event begins (x-amz-object-lock-event-hold-duration-days)",
  ObjectLockEventHoldDurationYears:
    "retentions that an event begins (x-amz-object-lock-event-hold-duration-years)",
  WriteOffsetBytes: "appending to objects (x-amz-write-offset-bytes)",
  AnnotationDirective: "object annotations (x-amz-annotation-directive)",
  OptionalObjectAttributes: "optional object attributes (x-amz-optional-object-attributes)",
} as const;

const GRANTS = ["GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP"];

/** @throws NotImplemented, or what S3 answers for ACLs on a bucket that has none. */
export function refuseUnsupported(input: object): void {
  const members = input as Record<string, unknown>;
  const has = (name: string) => members[name] !== undefined && members[name] !== null;
  for (const [name, words] of Object.entries(REFUSED)) if (has(name)) throw notImplemented(words);
  const method = members["ServerSideEncryption"];
  if (typeof method === "string" && method.startsWith("aws:"))
    throw notImplemented(`server-side encryption by ${method} (x-amz-server-side-encryption)`);
  if (GRANTS.some(has) || (has("ACL") && !HARMLESS_ACLS.has(String(members["ACL"]))))
    throw s3Error("AccessControlListNotSupported");
}
