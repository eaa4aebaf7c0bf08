/** PutObject: streams the body to its place while digesting it, then commits the object and its event together. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, keyBytes } from "../access.ts";
import { declaredLength, receiveBody } from "../body.ts";
import { DEFAULT_ALGORITHM } from "../checksum/algorithms.ts";
import { requestedChecksum } from "../checksum/requested.ts";
import { checksumOutput } from "../checksum/stored.ts";
import { checkWriteHeaders } from "../conditions.ts";
import type { S3 } from "../deps.ts";
import { encryptionOutput, newSealing } from "../encryption/requested.ts";
import { invalidRequest } from "../errors.ts";
import { readHeaders } from "../metadata.ts";
import { askedLock } from "../object-lock/lock.ts";
import { putVersion } from "../put-version.ts";
import { refuseUnsupported } from "../refusals.ts";
import { readTagHeader, storedTags } from "../tags.ts";
import type { Client } from "./client.ts";

export async function putObject(
  s3: S3,
  input: Input<Client, "PutObject">,
  context: RequestContext,
): Promise<Output<Client, "PutObject">> {
  return putContent(s3, input, context, { event: "ObjectCreated:Put", length: declaredLength(context) });
}

/** The same by whichever request. `length` is undefined for a body that only its own end tells of. */
export async function putContent(
  s3: S3,
  input: Input<Client, "PutObject">,
  context: RequestContext,
  { event, length }: { readonly event: string; readonly length: number | undefined },
): Promise<Output<Client, "PutObject">> {
  refuseUnsupported(input);
  const key = keyBytes(input.Key);
  const headers = readHeaders(input);
  const tags = storedTags(readTagHeader(input.Tagging));
  const lock = askedLock(input, s3.clock.now());
  if (lock) requireDigest(context);
  const conditions = { ifMatch: input.IfMatch, ifNoneMatch: input.IfNoneMatch };
  checkWriteHeaders(conditions);
  const requested = requestedChecksum(input, context);
  const bucket = await bucketFor(s3.database, input, context);
  const sealing = newSealing(s3, bucket, input.ServerSideEncryption);

  const algorithm = requested.algorithm ?? DEFAULT_ALGORITHM;
  const received = await receiveBody(s3, input, requested, algorithm, context, {
    inline: true,
    key: sealing?.key,
    length,
  });
  const checksum = { algorithm, type: "FULL_OBJECT", value: received.checksum.toString("base64") } as const;
  const content = {
    ...received,
    etag: received.md5.toString("hex"),
    checksum,
    parts: 0,
    uploadId: null,
    headers: JSON.stringify(headers),
    tags,
    lock,
    encryption: sealing?.stored ?? null,
  };
  const written = await putVersion(s3, { input, key, content, conditions, event }, context);
  const { versionId: VersionId, Expiration } = written;
  return {
    ETag: `"${content.etag}"`,
    ...checksumOutput(checksum),
    ...encryptionOutput(content.encryption),
    VersionId,
    Expiration,
  };
}

/** What is to be kept has to have come whole. */
function requireDigest({ headers }: RequestContext): void {
  const named = Object.keys(headers).some(
    (name) => name === "content-md5" || name.startsWith("x-amz-checksum-"),
  );
  if (!named && headers["x-amz-trailer"] === undefined)
    throw invalidRequest(
      "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
    );
}
