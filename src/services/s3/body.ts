/** The body of a PutObject or UploadPart: its declared length, the checks on the way in, and what the checks found. */
import type { Readable } from "node:stream";
import type { RequestContext } from "../../aws/service.ts";
import type { ChecksumAlgorithm } from "./checksum/algorithms.ts";
import { parseContentMd5, verifyChecksum } from "./checksum/requested.ts";
import type { RequestedChecksum } from "./checksum/requested.ts";
import type { Received } from "./content.ts";
import type { S3 } from "./deps.ts";
import { s3Error } from "./errors.ts";
import { SINGLE_BODY_BYTES_MAX } from "./limits.ts";

interface BodyInput {
  readonly Body?: Readable | undefined;
  readonly ContentMD5?: string | undefined;
}

interface BodyOptions {
  readonly inline: boolean;
  readonly key?: Buffer | undefined;
  /** Bytes that the body is said to have; undefined for one that only its own end tells of. */
  readonly length: number | undefined;
}

/**
 * Receives a request's body and holds it against all that the caller said about it.
 * What it answers must be committed or discarded.
 * @throws BadDigest, IncompleteBody; then nothing is left stored.
 */
export async function receiveBody(
  s3: S3,
  input: BodyInput,
  requested: RequestedChecksum,
  algorithm: ChecksumAlgorithm,
  context: RequestContext,
  { length, ...options }: BodyOptions,
): Promise<Received> {
  const md5 = parseContentMd5(input.ContentMD5);
  // What the caller sent a checksum of may not be what is kept of it.
  const second = requested.algorithm === algorithm ? undefined : requested.algorithm;
  const body = bounded(input.Body, length ?? Number.POSITIVE_INFINITY);
  const received = await s3.content.receive(body, algorithm, { ...options, second });
  try {
    if (length !== undefined && received.size !== length) throw s3Error("IncompleteBody");
    if (md5 && !md5.equals(received.md5))
      throw s3Error("BadDigest", {
        ExpectedDigest: md5.toString("base64"),
        CalculatedDigest: received.md5.toString("base64"),
      });
    verifyChecksum(requested, received.second ?? received.checksum, context);
  } catch (error) {
    s3.content.discard([received.blobName]);
    throw error;
  }
  return received;
}

/**
 * Bytes of the object in the body: what an aws-chunked request declares apart, else its Content-Length.
 * @throws EntityTooLarge, MissingContentLength
 */
export function declaredLength(context: RequestContext): number {
  const text = context.headers["x-amz-decoded-content-length"] ?? context.headers["content-length"];
  if (text === undefined) throw s3Error("MissingContentLength");
  const length = Number(text);
  if (!Number.isSafeInteger(length) || length < 0) throw s3Error("MissingContentLength");
  if (length > SINGLE_BODY_BYTES_MAX)
    throw s3Error("EntityTooLarge", { ProposedSize: length, MaxSizeAllowed: SINGLE_BODY_BYTES_MAX });
  return length;
}

/** Stops a body that goes on past its declared length. */
async function* bounded(body: Readable | undefined, length: number): AsyncIterable<Uint8Array> {
  let left = length;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    left -= chunk.length;
    if (left < 0) throw s3Error("IncompleteBody");
    yield chunk;
  }
}
