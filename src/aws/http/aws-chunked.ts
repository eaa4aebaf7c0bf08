/** Decodes `aws-chunked` bodies: signed and unsigned chunks, with their trailing headers. */
import { createHash } from "node:crypto";
import { Transform } from "node:stream";
import type { TransformCallback } from "node:stream";
import { AwsError } from "../errors.ts";

/** Verifies the chain of chunk signatures; each call takes the next link. */
export interface ChunkVerifier {
  /** @throws AwsError SignatureDoesNotMatch */
  chunk(sha256: string, signature: string): void;
  /** @throws AwsError SignatureDoesNotMatch */
  trailer(sha256: string, signature: string): void;
}

/** Computes the checksum that a trailer promises. */
export interface TrailingChecksum {
  /** `x-amz-checksum-crc32` */
  readonly header: string;
  /** `CRC32` */
  readonly label: string;
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

export interface AwsChunkedOptions {
  /** Decoded bytes that `x-amz-decoded-content-length` announced. */
  readonly decodedLength: number | undefined;
  /** Filled as trailing headers arrive; lower-case names. */
  readonly trailers: Record<string, string>;
  /** Undefined where nothing is verified: unsigned chunks, or authentication off. */
  readonly verifier: ChunkVerifier | undefined;
  readonly checksum: TrailingChecksum | undefined;
}

type State = "size" | "data" | "data-end" | "trailers" | "done";

const LINE_BYTES_MAX = 16 * 1024;
const TRAILERS_MAX = 32;
const CRLF = "\r\n";
const SIGNATURE_TRAILER = "x-amz-trailer-signature";
const SIZE_LINE = /^([0-9a-fA-F]{1,13})(?:;chunk-signature=([0-9a-f]{64}))?$/;

export class AwsChunkedDecoder extends Transform {
  readonly #options: AwsChunkedOptions;
  #rest: Buffer = Buffer.alloc(0);
  #state: State = "size";
  #left = 0;
  #decoded = 0;
  #signature = "";
  #hash = createHash("sha256");
  /** What the trailer signature covers: `name:value` lines. */
  #signedTrailers = "";

  constructor(options: AwsChunkedOptions) {
    super();
    this.#options = options;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#read(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]));
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    // Some clients leave out the empty line after the last chunk.
    if (this.#state === "trailers" && this.#rest.length === 0) this.#state = "done";
    try {
      if (this.#state !== "done") throw incomplete();
      this.#finish();
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  #read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#state !== "done") {
      const next = this.#state === "data" ? this.#readData(bytes, at) : this.#readLine(bytes, at);
      if (next === undefined) break;
      at = next;
    }
    this.#rest = this.#state === "done" ? Buffer.alloc(0) : bytes.subarray(at);
  }

  #readData(bytes: Buffer, at: number): number {
    const data = bytes.subarray(at, at + this.#left);
    this.#left -= data.length;
    this.#decoded += data.length;
    const { decodedLength, verifier, checksum } = this.#options;
    if (decodedLength !== undefined && this.#decoded > decodedLength) throw incomplete();
    if (verifier) this.#hash.update(data);
    checksum?.update(data);
    this.push(data);
    if (this.#left === 0) this.#state = "data-end";
    return at + data.length;
  }

  /** Takes one line; undefined where it has not wholly arrived. */
  #readLine(bytes: Buffer, at: number): number | undefined {
    const end = bytes.indexOf(CRLF, at, "latin1");
    if (end < 0) {
      if (bytes.length - at > LINE_BYTES_MAX) throw malformedTrailer();
      return undefined;
    }
    const line = bytes.toString("latin1", at, end);
    if (this.#state === "size") this.#sizeLine(line);
    else if (this.#state === "data-end") this.#endOfChunk(line);
    else this.#trailerLine(line);
    return end + CRLF.length;
  }

  #sizeLine(line: string): void {
    const [, size, signature = ""] = SIZE_LINE.exec(line) ?? [];
    if (size === undefined)
      throw new AwsError("InvalidChunkSizeError", "The chunk size is not valid.", {}, 400);
    this.#left = Number.parseInt(size, 16);
    this.#signature = signature;
    if (this.#left > 0) this.#state = "data";
    else {
      this.#verifyChunk();
      this.#state = "trailers";
    }
  }

  #endOfChunk(line: string): void {
    if (line !== "") throw incomplete();
    this.#verifyChunk();
    this.#state = "size";
  }

  #verifyChunk(): void {
    if (!this.#options.verifier) return;
    this.#options.verifier.chunk(this.#hash.digest("hex"), this.#signature);
    this.#hash = createHash("sha256");
  }

  #trailerLine(line: string): void {
    if (line === "") {
      this.#state = "done";
      return;
    }
    const colon = line.indexOf(":");
    const { trailers } = this.#options;
    if (colon <= 0 || Object.keys(trailers).length >= TRAILERS_MAX) throw malformedTrailer();
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name !== SIGNATURE_TRAILER) this.#signedTrailers += `${name}:${value}\n`;
    trailers[name] = value;
  }

  #finish(): void {
    const { decodedLength, verifier, checksum, trailers } = this.#options;
    if (decodedLength !== undefined && this.#decoded !== decodedLength) throw incomplete();
    if (verifier && this.#signedTrailers !== "") {
      const hash = createHash("sha256").update(this.#signedTrailers).digest("hex");
      verifier.trailer(hash, trailers[SIGNATURE_TRAILER] ?? "");
    }
    if (!checksum) return;
    const sent = trailers[checksum.header];
    if (sent === undefined) throw malformedTrailer();
    if (sent !== checksum.digest().toString("base64"))
      throw new AwsError(
        "BadDigest",
        `The ${checksum.label} you specified did not match the calculated checksum.`,
        {},
        400,
      );
  }
}

function incomplete(): AwsError {
  return new AwsError(
    "IncompleteBody",
    "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    {},
    400,
  );
}

function malformedTrailer(): AwsError {
  return new AwsError(
    "MalformedTrailerError",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    {},
    400,
  );
}
