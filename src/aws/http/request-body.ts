/** A request's body: read once, as a stream or as bounded bytes, with transfer codings undone and checksums verified. */
import { pipeline, Readable } from "node:stream";
import type { Transform } from "node:stream";
import { ByteCollector } from "../../kit/byte-collector.ts";
import { AwsError } from "../errors.ts";
import { MalformedInput } from "../protocol/malformed-input.ts";

/** Lambda's CreateFunction with a zip of 50 MB in base64 is the largest body that is ever read into memory. */
const BUFFERED_BYTES_MAX = 70_167_211;
/** What is read and thrown away to keep a connection. */
const DISCARDED_BYTES_MAX = 16 * 1024 * 1024;

type Layer = Transform;

export class RequestBody {
  /** Trailing headers of an aws-chunked body, lower case; complete once the body has ended. */
  readonly trailers: Record<string, string> = {};
  readonly #source: Readable | Buffer;
  readonly #announcedLength: string | undefined;
  readonly #layers: Layer[] = [];
  #stream: Readable | undefined;
  #raw: Promise<Buffer> | undefined;
  #bytes: Promise<Buffer> | undefined;

  /** @param source The body as it comes, or as it came already. @param announcedLength The Content-Length header. */
  constructor(source: Readable | Buffer, announcedLength: string | undefined) {
    this.#source = source;
    this.#announcedLength = announcedLength;
  }

  /** The body as it was sent, where it came whole and nothing stands before it. */
  get whole(): Buffer | undefined {
    const source = this.#source;
    return Buffer.isBuffer(source) && this.#layers.length === 0 ? source : undefined;
  }

  /** Puts a decoder or verifier behind those already there; only before `stream` or `bytes`. */
  through(layer: Layer): void {
    if (this.#stream) throw new Error("the body is already being read");
    this.#layers.push(layer);
  }

  /**
   * The whole body as it was sent, for its hash; it may be read decoded afterwards all the same.
   * @throws AwsError RequestEntityTooLargeException
   */
  raw(): Promise<Buffer> {
    if (this.#stream) throw new Error("the body is already being read as a stream");
    const source = this.#source;
    return (this.#raw ??= Buffer.isBuffer(source)
      ? Promise.resolve(source)
      : collect(source, this.#announcedLength));
  }

  /** The decoded body; an error in a layer ends it with that error. */
  stream(): Readable {
    if (this.#stream) return this.#stream;
    const source = this.#source;
    let stream = Buffer.isBuffer(source)
      ? streamOf(source)
      : this.#raw
        ? Readable.from(once(this.#raw))
        : source;
    // `pipeline` hands errors on in both directions; whoever reads the last stream sees them there.
    for (const layer of this.#layers) stream = pipeline(stream, layer, () => {});
    this.#stream = stream;
    return stream;
  }

  /**
   * The whole decoded body; asked twice, the same bytes.
   * @throws AwsError RequestEntityTooLargeException
   * @throws MalformedInput where it cannot be decoded
   */
  bytes(): Promise<Buffer> {
    return (this.#bytes ??= this.#layers.length === 0 ? this.raw() : collect(this.stream(), undefined));
  }

  /**
   * Reads to the end what nobody wanted, so that the connection can carry the next request.
   * @returns false where that is too much to read, and the connection should be closed instead
   */
  discard(): boolean {
    const source = this.#source;
    if (Buffer.isBuffer(source)) return true;
    const stream: Readable = this.#stream ?? source;
    if (stream.readableEnded || stream.destroyed) return true;
    stream.on("error", () => {});
    if (Number(this.#announcedLength ?? 0) > DISCARDED_BYTES_MAX) return false;
    let discarded = 0;
    stream.on("data", (chunk: Buffer) => {
      discarded += chunk.length;
      if (discarded > DISCARDED_BYTES_MAX) source.destroy();
    });
    stream.resume();
    return true;
  }
}

function streamOf(bytes: Buffer): Readable {
  const stream = new Readable({ read() {} });
  if (bytes.length > 0) stream.push(bytes);
  stream.push(null);
  return stream;
}

async function* once(bytes: Promise<Buffer>): AsyncGenerator<Buffer> {
  yield await bytes;
}

async function collect(stream: Readable, announcedLength: string | undefined): Promise<Buffer> {
  if (Number(announcedLength ?? 0) > BUFFERED_BYTES_MAX) throw tooLarge();
  return new Promise((resolve, reject) => {
    const collected = new ByteCollector();
    let size = 0;
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BUFFERED_BYTES_MAX) collected.push(chunk);
      else {
        collected.clear();
        reject(tooLarge());
      }
    });
    stream.once("end", () => resolve(collected.bytes()));
    stream.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code?.startsWith("Z_")
          ? new MalformedInput(`The body is not valid gzip: ${error.message}`)
          : error,
      ),
    );
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
