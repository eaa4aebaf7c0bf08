/** A strict reader of HTTP/1.1 requests for the Runtime API; node:http costs several times the CPU. */
import { ByteCollector } from "../kit/byte-collector.ts";
import { Memo } from "../kit/memo.ts";
import { runtimeApiHeadBytesMax, runtimeApiTrailerBytesMax } from "./limits.ts";

export interface HttpRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  /** Lower-case names; the last one wins. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Bytes of the body that came, kept or not. */
  readonly bodyBytes: number;
  /** What a chunked body said after its last chunk; lower-case names. */
  readonly trailers: ReadonlyMap<string, string>;
  readonly keepAlive: boolean;
}

/** Takes a request's body as it comes; then the request itself has none. */
export interface BodyReceiver {
  data(bytes: Buffer): void;
}

export class HttpError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "HttpError";
  }
}

/** A body may be this large before the connection is given up; what is above `bodyBytesMax` is counted and dropped. */
const bodyBytesEver = 134_217_728;

export interface HttpHead {
  readonly method: string;
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly keepAlive: boolean;
}

const NO_TRAILERS: ReadonlyMap<string, string> = new Map();

export interface RequestListener {
  request(request: HttpRequest): void;
  /** The client waits for "100 Continue" before it sends the body. */
  expectsContinue(): void;
  /** A request begins: who takes its body as it comes, when it is not to be collected. */
  begins?(head: HttpHead): BodyReceiver | undefined;
}

/** Cuts one connection's bytes into requests. */
export class HttpRequestReader {
  readonly #bodyBytesMax: number;
  readonly #listener: RequestListener;
  #bytes: Buffer = Buffer.alloc(0);
  #head: HttpHead | undefined;
  /** Bytes of the body, or of the chunk under way, still to come. */
  #left = 0;
  #chunked: "no" | "size" | "data" | "trailer" = "no";
  #body = new ByteCollector();
  #bodyBytes = 0;
  #receiver: BodyReceiver | undefined;
  #trailers: Map<string, string> | undefined;
  #trailerBytes = 0;

  constructor(bodyBytesMax: number, listener: RequestListener) {
    this.#bodyBytesMax = bodyBytesMax;
    this.#listener = listener;
  }

  /** @throws HttpError when the bytes are no HTTP/1.1 that a runtime client would send. */
  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    while (this.#step());
  }

  /** The request whose body is not all there, told once, when the connection ends. */
  unfinished(): { readonly method: string; readonly path: string } | undefined {
    const head = this.#head;
    this.#head = undefined;
    return head;
  }

  /** Takes one step; false when more bytes are needed. */
  #step(): boolean {
    if (!this.#head) return this.#readHead();
    switch (this.#chunked) {
      case "no":
      case "data":
        return this.#readData();
      case "size":
        return this.#readChunkSize();
      default:
        return this.#readTrailer();
    }
  }

  #readHead(): boolean {
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end === -1) {
      if (this.#bytes.length > runtimeApiHeadBytesMax) throw new HttpError("request head too large");
      return false;
    }
    if (end > runtimeApiHeadBytesMax) throw new HttpError("request head too large");
    const head = parseHead(this.#bytes.toString("latin1", 0, end));
    this.#bytes = this.#bytes.subarray(end + 4);
    this.#head = head;
    const coding = head.headers.get("transfer-encoding");
    const length = head.headers.get("content-length");
    if (coding !== undefined && (coding.toLowerCase() !== "chunked" || length !== undefined))
      throw new HttpError("unsupported Transfer-Encoding");
    if (length !== undefined && !/^\d{1,9}$/.test(length)) throw new HttpError("invalid Content-Length");
    this.#chunked = coding === undefined ? "no" : "size";
    this.#left = Number(length ?? 0);
    this.#receiver = this.#listener.begins?.(head);
    if (head.headers.get("expect")?.toLowerCase() === "100-continue") this.#listener.expectsContinue();
    return true;
  }

  #readData(): boolean {
    const take = Math.min(this.#left, this.#bytes.length);
    if (take > 0) this.#keep(this.#bytes.subarray(0, take));
    this.#bytes = this.#bytes.subarray(take);
    this.#left -= take;
    if (this.#left > 0) return false;
    if (this.#chunked === "no") {
      this.#finish();
      return this.#bytes.length > 0;
    }
    if (this.#bytes.length < 2) return false;
    if (this.#bytes[0] !== 13 || this.#bytes[1] !== 10) throw new HttpError("invalid chunk");
    this.#bytes = this.#bytes.subarray(2);
    this.#chunked = "size";
    return true;
  }

  #readChunkSize(): boolean {
    const line = this.#takeLine();
    if (line === undefined) return false;
    const size = /^([0-9a-fA-F]{1,7})(?:;.*)?$/.exec(line)?.[1];
    if (size === undefined) throw new HttpError("invalid chunk size");
    this.#left = Number.parseInt(size, 16);
    this.#chunked = this.#left === 0 ? "trailer" : "data";
    return true;
  }

  #readTrailer(): boolean {
    const line = this.#takeLine(runtimeApiTrailerBytesMax);
    if (line === undefined) return false;
    if (line !== "") {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > runtimeApiTrailerBytesMax) throw new HttpError("trailers too large");
      this.#trailers ??= new Map();
      readHeader(line, this.#trailers);
      return true;
    }
    this.#finish();
    return this.#bytes.length > 0;
  }

  #takeLine(bytesMax = runtimeApiHeadBytesMax): string | undefined {
    const end = this.#bytes.indexOf("\r\n");
    if (end === -1) {
      if (this.#bytes.length > bytesMax) throw new HttpError("line too long");
      return undefined;
    }
    const line = this.#bytes.toString("latin1", 0, end);
    this.#bytes = this.#bytes.subarray(end + 2);
    return line;
  }

  #keep(bytes: Buffer): void {
    this.#bodyBytes += bytes.length;
    if (this.#receiver) return this.#receiver.data(bytes);
    if (this.#bodyBytes > bodyBytesEver) throw new HttpError("body too large");
    if (this.#bodyBytes <= this.#bodyBytesMax) this.#body.push(bytes);
    else this.#body.clear();
  }

  #finish(): void {
    const head = this.#head;
    const trailers = this.#trailers ?? NO_TRAILERS;
    const request = { body: this.#body.bytes(), bodyBytes: this.#bodyBytes, trailers };
    this.#head = undefined;
    this.#chunked = "no";
    this.#body.clear();
    this.#bodyBytes = 0;
    this.#receiver = undefined;
    this.#trailers = undefined;
    this.#trailerBytes = 0;
    if (head) this.#listener.request({ ...head, ...request });
  }
}

function parseHead(text: string): HttpHead {
  const lines = text.split("\r\n");
  const match = /^([A-Z]{1,16}) (\/[^ ]*) HTTP\/1\.([01])$/.exec(lines[0] ?? "");
  if (!match) throw new HttpError("malformed request line");
  const headers = new Map<string, string>();
  for (const line of lines.slice(1)) readHeader(line, headers);
  const connection = headers.get("connection")?.toLowerCase();
  const keepAlive = match[3] === "1" ? connection !== "close" : connection === "keep-alive";
  const target = match[2] ?? "/";
  const query = target.indexOf("?");
  return { method: match[1] ?? "", path: query === -1 ? target : target.slice(0, query), headers, keepAlive };
}

function readHeader(line: string, headers: Map<string, string>): void {
  const colon = line.indexOf(":");
  const name = colon < 1 ? undefined : names.get(line.slice(0, colon));
  if (name === undefined) throw new HttpError("malformed header");
  headers.set(name, line.slice(colon + 1).trim());
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Header names in lower case; undefined for what is none. A runtime sends the same few with every request. */
const names = new Memo((text) => (TOKEN.test(text) ? text.toLowerCase() : undefined));
