/** Multipart uploads: finding one, its part numbers, and its checksum algorithm. */
import type { AwsError } from "../../aws/errors.ts";
import type { Reader } from "../../store/database.ts";
import { isDigestName } from "../../kit/digest.ts";
import { DEFAULT_ALGORITHM, multipartTypes } from "./checksum/algorithms.ts";
import type { ChecksumAlgorithm, ChecksumType } from "./checksum/algorithms.ts";
import type { RequestedChecksum } from "./checksum/requested.ts";
import { invalidArgument, invalidRequest, s3Error } from "./errors.ts";
import { PART_NUMBER_MAX } from "./limits.ts";
import type { BucketRow, UploadRow } from "./rows.ts";
import { findUpload } from "./store-uploads.ts";

/** @throws NoSuchUpload, also for an upload of another key. */
export async function uploadFor(
  reader: Reader,
  bucket: BucketRow,
  key: Buffer,
  uploadId: string | undefined,
): Promise<UploadRow> {
  const upload = await findUpload(reader, uploadId ?? "");
  if (!upload || upload.bucket !== bucket.name || !upload.object_key.equals(key))
    throw s3Error("NoSuchUpload", { UploadId: uploadId ?? "" });
  return upload;
}

/** @throws InvalidArgument outside 1 to 10,000. */
export function checkPartNumber(partNumber: number | undefined): number {
  if (
    partNumber === undefined ||
    !Number.isInteger(partNumber) ||
    partNumber < 1 ||
    partNumber > PART_NUMBER_MAX
  )
    throw invalidArgument(
      `Part number must be an integer between 1 and ${PART_NUMBER_MAX}, inclusive`,
      "partNumber",
      partNumber ?? "",
    );
  return partNumber;
}

/** The algorithm that the parts of an upload are digested with. */
export function uploadAlgorithm(upload: UploadRow): ChecksumAlgorithm {
  return upload.checksum_algorithm ?? DEFAULT_ALGORITHM;
}

/**
 * Whether a part's checksum fits the upload. One that was created without an algorithm takes any: SDKs send one of
 * their own with every part.
 * @throws InvalidRequest for another algorithm, or for none where the object's checksum is composed of the parts'.
 */
export function checkPartAlgorithm(upload: UploadRow, { algorithm }: RequestedChecksum): void {
  const expected = upload.checksum_algorithm;
  if (expected === null || algorithm === expected) return;
  if (algorithm === undefined && upload.checksum_type === "FULL_OBJECT") return;
  throw checksumMismatch(expected, algorithm);
}

export function checksumMismatch(expected: string, actual: string | undefined): AwsError {
  return invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${expected.toLowerCase()}, actual checksum Type: ${actual?.toLowerCase() ?? "null"}`,
  );
}

/** Algorithm and type of a new upload. @throws InvalidRequest where they do not go together. */
export function chooseChecksum(
  algorithm: string | undefined,
  type: string | undefined,
): { readonly algorithm: ChecksumAlgorithm | null; readonly type: ChecksumType } {
  if (algorithm === undefined) {
    if (type !== undefined)
      throw invalidRequest(
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
      );
    return { algorithm: null, type: "FULL_OBJECT" };
  }
  const name = algorithm.toUpperCase();
  if (!isDigestName(name))
    throw invalidRequest(
      "Checksum algorithm provided is unsupported. Please try again with any of the valid types",
    );
  const possible = multipartTypes(name);
  if (type === undefined) return { algorithm: name, type: possible[0] as ChecksumType };
  const chosen = possible.find((one) => one === type);
  if (!chosen)
    throw invalidRequest(
      `The ${type} checksum type cannot be used with the ${name.toLowerCase()} checksum algorithm.`,
    );
  return { algorithm: name, type: chosen };
}
