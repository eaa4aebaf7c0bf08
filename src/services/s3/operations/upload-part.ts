/** UploadPart: one part of a multipart upload, streamed to its place. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, keyBytes } from "../access.ts";
import { declaredLength, receiveBody } from "../body.ts";
import { checksumMember } from "../checksum/algorithms.ts";
import { requestedChecksum } from "../checksum/requested.ts";
import type { S3 } from "../deps.ts";
import { encryptionOutput } from "../encryption/requested.ts";
import { refuseUnsupported } from "../refusals.ts";
import { storePart } from "../store-part.ts";
import { checkPartAlgorithm, checkPartNumber, uploadAlgorithm, uploadFor } from "../uploads.ts";
import type { Client } from "./client.ts";

export async function uploadPart(
  s3: S3,
  input: Input<Client, "UploadPart">,
  context: RequestContext,
): Promise<Output<Client, "UploadPart">> {
  refuseUnsupported(input);
  const key = keyBytes(input.Key);
  const partNumber = checkPartNumber(input.PartNumber);
  const requested = requestedChecksum(input, context);
  const bucket = await bucketFor(s3.database, input, context);
  const upload = await uploadFor(s3.database, bucket, key, input.UploadId);
  checkPartAlgorithm(upload, requested);
  const algorithm = uploadAlgorithm(upload);
  const received = await receiveBody(s3, input, requested, algorithm, context, {
    inline: false,
    key: s3.keys.open(upload.encryption),
    length: declaredLength(context),
  });
  const sent = received.second && requested.algorithm;
  const part = await storePart(s3, input, upload, partNumber, received, sent, context);
  const told = sent
    ? { [checksumMember(sent)]: part.sent_checksum }
    : { [checksumMember(algorithm)]: part.checksum };
  return { ETag: `"${part.etag}"`, ...told, ...encryptionOutput(upload.encryption) };
}
