/**
 * Uploads by a browser's form: a POST to a bucket, whose fields say what a PutObject's headers would, and whose policy is signed
 * instead of the request.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 */
import { Readable } from "node:stream";
import type { IncomingHttpHeaders } from "node:http";
import { notImplemented } from "../../../aws/errors.ts";
import type { WireResponse } from "../../../aws/index.ts";
import type { OtherRequest, OtherRequests } from "../../../aws/service.ts";
import { bucketAnywhere } from "../access.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import { SINGLE_BODY_BYTES_MAX } from "../limits.ts";
import { putContent } from "../operations/put-object.ts";
import { formAnswer } from "./answer.ts";
import { headersOf, readFields } from "./fields.ts";
import type { Fields } from "./fields.ts";
import { readForm } from "./multipart.ts";
import { checkPostPolicy, parsePostPolicy } from "./post-policy.ts";
import type { SizeRange } from "./post-policy.ts";
import { required, requireRegion, signatureOf } from "./signature.ts";

const TO_BUCKET = /^\/([^/]+)\/?$/;
/** What is read on, so that an error can tell how large a file that is too large would have been. */
const SURPLUS_BYTES_MAX = 16 * 1024 * 1024;

export function formUploads(s3: S3): OtherRequests {
  return {
    answer(request) {
      const [, bucket] = (request.method === "POST" && TO_BUCKET.exec(request.path)) || [];
      return bucket === undefined ? undefined : upload(s3, request, decodeURIComponent(bucket));
    },
  };
}

async function upload(s3: S3, request: OtherRequest, Bucket: string): Promise<WireResponse> {
  if (request.headers.authorization !== undefined)
    throw notImplemented("forms of requests that are signed in their headers: sign the form's policy");
  const { headers } = request;
  const form = await readForm(request.body as AsyncIterable<Buffer>, headers["content-type"]);
  const fields = readFields(form);
  const Key = required(fields, "key");
  const now = s3.clock.now();
  const signed = signatureOf(fields, now);
  const bucket = await bucketAnywhere(s3.database, { Bucket });
  requireRegion(fields, signed, bucket.region);
  const caller = await request.identify(signed);
  const size = sizeOf(fields, Bucket, now);
  const answer = await request.call({
    operation: "PutObject",
    // Who has not signed has named no region.
    caller: { ...caller, region: bucket.region },
    labels: { Bucket, Key },
    headers: { ...headersOf(fields), ...requestHeaders(headers) },
    body: Readable.from(within(form.file, size), { objectMode: false }),
    run: (input, context) =>
      putContent(s3, input, context, { event: "ObjectCreated:Post", length: undefined }),
  });
  return formAnswer(answer, { fields, bucket: Bucket, key: Key, host: request.host });
}

/** @throws InvalidPolicyDocument, AccessDenied */
function sizeOf(fields: Fields, bucket: string, now: number): SizeRange {
  const text = fields.get("policy")?.value;
  const allowed =
    text === undefined ? undefined : checkPostPolicy(parsePostPolicy(text), fields, bucket, now);
  const { min = 0, max = SINGLE_BODY_BYTES_MAX } = allowed ?? {};
  return { min, max: Math.min(max, SINGLE_BODY_BYTES_MAX) };
}

/** What policies are asked about beside the form. */
function requestHeaders({ host, referer, "user-agent": agent }: IncomingHttpHeaders): IncomingHttpHeaders {
  return {
    host,
    ...(referer !== undefined && { referer }),
    ...(agent !== undefined && { "user-agent": agent }),
  };
}

/** @throws EntityTooLarge, EntityTooSmall */
async function* within(file: AsyncIterable<Buffer>, { min, max }: SizeRange): AsyncIterable<Buffer> {
  let size = 0;
  for await (const chunk of file) {
    size += chunk.length;
    if (size > max + SURPLUS_BYTES_MAX) break;
    if (size <= max) yield chunk;
  }
  if (size > max) throw s3Error("EntityTooLarge", { ProposedSize: size, MaxSizeAllowed: max });
  if (size < min) throw s3Error("EntityTooSmall", { ProposedSize: size, MinSizeAllowed: min });
}
