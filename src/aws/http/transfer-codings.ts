/** Undoes what lies around a request's body: aws-chunked and gzip, and checks the signed payload hash on the way. */
import { createHash, hash } from "node:crypto";
import { Transform } from "node:stream";
import { createGunzip } from "node:zlib";
import { AwsError } from "../errors.ts";
import { AwsChunkedDecoder } from "./aws-chunked.ts";
import type { ChunkVerifier } from "./aws-chunked.ts";
import type { RequestBody } from "./request-body.ts";
import { trailingChecksum } from "./trailing-checksum.ts";
import { headerText } from "./wire-request.ts";
import type { WireRequest } from "./wire-request.ts";

export interface PayloadProof {
  /** Lower-case hexadecimal SHA-256 that was signed. */
  readonly sha256?: string;
  readonly chunks?: ChunkVerifier;
}

const AWS_CHUNKED = "aws-chunked";

/**
 * Puts decoders before the body and brings the headers in line with what is then read: no aws-chunked or gzip in
 * Content-Encoding, the decoded length in Content-Length.
 * @param storesEncodings whether the service keeps Content-Encoding with the body, as S3 does, so that gzip is not undone
 * @throws AwsError for a trailer that cannot be verified
 */
export function undoTransferCodings(
  request: WireRequest,
  proof: PayloadProof,
  storesEncodings: boolean,
): void {
  const { headers, body } = request;
  if (proof.sha256 !== undefined) verifyHash(body, proof.sha256);
  const { "content-encoding": coding, "x-amz-content-sha256": payloadHash } = headers;
  if (coding === undefined && !payloadHash?.includes("STREAMING-")) return;
  const encodings = (headers["content-encoding"] ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  const isStreaming = headerText(headers, "x-amz-content-sha256")?.startsWith("STREAMING-") ?? false;
  if (isStreaming || encodings.includes(AWS_CHUNKED)) {
    const length = headerText(headers, "x-amz-decoded-content-length");
    body.through(
      new AwsChunkedDecoder({
        decodedLength: length === undefined ? undefined : Number(length),
        trailers: body.trailers,
        verifier: proof.chunks,
        checksum: trailingChecksum(headerText(headers, "x-amz-trailer")),
      }),
    );
    if (length === undefined) delete headers["content-length"];
    else headers["content-length"] = length;
  }
  const left = encodings.filter((name) => name !== AWS_CHUNKED);
  if (!storesEncodings && left.at(-1) === "gzip") {
    left.pop();
    body.through(createGunzip());
    delete headers["content-length"];
  }
  if (left.length > 0) headers["content-encoding"] = left.join(",");
  else delete headers["content-encoding"];
}

/** Of a body that came whole at once, which takes no stream; of another while it is read. @throws AwsError */
function verifyHash(body: RequestBody, expected: string): void {
  const { whole } = body;
  if (!whole) return body.through(new HashVerifier(expected));
  const actual = hash("sha256", whole);
  if (actual !== expected) throw hashMismatch(expected, actual);
}

function hashMismatch(expected: string, actual: string): AwsError {
  return new AwsError(
    "XAmzContentSHA256Mismatch",
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    { ClientComputedContentSHA256: expected, S3ComputedContentSHA256: actual },
    400,
  );
}

/** Passes bytes on and fails at their end where they are not what was signed. */
class HashVerifier extends Transform {
  readonly #expected: string;
  readonly #hash = createHash("sha256");

  constructor(expected: string) {
    super();
    this.#expected = expected;
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error, data?: Buffer) => void,
  ): void {
    this.#hash.update(chunk);
    done(undefined, chunk);
  }

  override _flush(done: (error?: Error) => void): void {
    const actual = this.#hash.digest("hex");
    if (actual === this.#expected) done();
    else done(hashMismatch(this.#expected, actual));
  }
}
