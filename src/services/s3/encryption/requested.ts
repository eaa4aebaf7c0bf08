/** What of S3's encryption a write asks for, or its bucket for it. */
import type { S3 } from "../deps.ts";
import { invalidArgument } from "../errors.ts";
import type { BucketRow } from "../rows.ts";
import type { Sealing } from "./keys.ts";

/** The key of a new object; undefined where it is not to be encrypted. Other methods have been refused by name. @throws InvalidArgument */
export function newSealing(
  s3: Pick<S3, "keys">,
  bucket: BucketRow,
  asked: string | undefined,
): Sealing | undefined {
  if (asked !== undefined && asked !== "AES256")
    throw invalidArgument(
      "The encryption method specified is not supported",
      "x-amz-server-side-encryption",
      asked,
    );
  return asked === undefined && bucket.encryption === null ? undefined : s3.keys.create();
}

/** What answers tell of it. */
export function encryptionOutput(stored: string | null | undefined): { ServerSideEncryption?: "AES256" } {
  return stored === null || stored === undefined ? {} : { ServerSideEncryption: "AES256" };
}
