/** A request's body: read once, as a stream or as bounded bytes, with transfer codings undone and checksums verified. */
import type { Readable } from "node:stream";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { AwsError } from "../errors.ts";
import type { AnyIncoming } from "./wire-request.ts";

/** Lambda's CreateFunction with a zip of 50 MB in base64 is the largest body that is ever read into memory. */
const BUFFERED_BYTES_MAX = 70_167_211;

type Layer = NodeJS.ReadWriteStream;

export class RequestBody {
  /** Trailing headers of an aws-chunked body, lower case; complete once the body has ended. */
  readonly trailers: Record<string, string> = {};
  readonly #incoming: AnyIncoming;
  readonly #layers: Layer[] = [];
  #stream: Readable | undefined;
  #bytes: Promise<Buffer> | undefined;

  constructor(incoming: AnyIncoming) {
    this.#incoming = incoming;
  }

  /** Puts a decoder or verifier behind those already there; only before reading begins. */
  through(layer: Layer): void {
    if (this.#stream) throw new Error("the body is already being read");
    this.#layers.push(layer);
  }

  /** Undoes `Content-Encoding: gzip`. */
  gunzip(): void {
    this.through(createGunzip());
  }

  /** The decoded body; an error in a layer ends it with that error. */
  stream(): Readable {
    if (this.#stream) return this.#stream;
    let stream: Readable = this.#incoming as Readable;
    // `pipeline` hands errors on in both directions; whoever reads the last stream sees them there.
    for (const layer of this.#layers)
      stream = pipeline(stream, layer as NodeJS.ReadWriteStream & Readable, () => {}) as Readable;
    this.#stream = stream;
    return stream;
  }

  /**
   * The whole decoded body; asked twice, the same bytes.
   * @throws AwsError RequestEntityTooLargeException
   */
  bytes(): Promise<Buffer> {
    return (this.#bytes ??= collect(this.stream(), this.#layers.length === 0 ? this.#incoming.headers : {}));
  }

  /** Reads to the end what nobody wanted, so that the connection can carry the next request. */
  discard(): void {
    if (!this.#incoming.readableEnded) this.#incoming.resume();
  }
}

async function collect(
  stream: Readable,
  headers: { readonly "content-length"?: string | undefined },
): Promise<Buffer> {
  if (Number(headers["content-length"] ?? 0) > BUFFERED_BYTES_MAX) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BUFFERED_BYTES_MAX) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge());
      }
    });
    stream.once("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    stream.once("error", reject);
    stream.once("close", () => reject(new Error("the caller went away before the request was complete")));
  });
}

function tooLarge(): AwsError {
  return new AwsError(
    "RequestEntityTooLargeException",
    `Request must be smaller than ${BUFFERED_BYTES_MAX} bytes`,
    {},
    413,
  );
}
