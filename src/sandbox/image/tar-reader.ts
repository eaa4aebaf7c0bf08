/**
 * Reads a tar stream as it comes: ustar, with the extensions of POSIX (pax) and GNU for long names and large numbers.
 * Own code, and not a library, because layers are unpacked by synchronous calls in a thread of their own, where no stream is in between.
 */
import { ImageError } from "./image-error.ts";

/** `size` bytes of content follow an entry of the kind `file`. */
export interface TarEntry {
  readonly kind: "file" | "folder" | "link" | "hardLink" | "device" | "pipe";
  /** As it stands in the archive. */
  readonly path: string;
  /** What a link leads to. */
  readonly target: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Epoch seconds. */
  readonly modifiedAt: number;
}

export interface TarSink {
  begin(entry: TarEntry): void;
  data(chunk: Buffer): void;
  end(): void;
}

const BLOCK = 512;
/** Long names and extended attributes of one entry, in bytes. */
const EXTENSION_BYTES_MAX = 1024 * 1024;

const KINDS: Readonly<Record<string, TarEntry["kind"]>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "hardLink",
  "2": "link",
  "3": "device",
  "4": "device",
  "5": "folder",
  "6": "pipe",
};

export class TarReader {
  readonly #sink: TarSink;
  /** The beginning of a block that has not come whole. */
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the current entry's content, and of what pads it to a block. */
  #left = 0;
  #padding = 0;
  /** What is being collected of an extension; undefined while content goes to the sink. */
  #extension: { readonly type: string; readonly chunks: Buffer[] } | undefined;
  #overrides: Record<string, string> = {};
  #global: Record<string, string> = {};
  #zeroBlocks = 0;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** @throws ImageError for what is no archive; whatever the sink throws. */
  push(chunk: Buffer): void {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = Buffer.alloc(0);
    while (bytes.length > 0 && this.#zeroBlocks < 2) {
      if (this.#left > 0) bytes = this.#content(bytes);
      else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, bytes.length);
        this.#padding -= skipped;
        bytes = bytes.subarray(skipped);
      } else if (bytes.length < BLOCK) {
        // Kept beyond this call, in which the chunk may be used again.
        this.#rest = Buffer.from(bytes);
        return;
      } else {
        this.#header(bytes.subarray(0, BLOCK));
        bytes = bytes.subarray(BLOCK);
      }
    }
  }

  /** The stream has ended. @throws ImageError where it was cut off. */
  finish(): void {
    if (this.#left > 0 || this.#padding > 0 || this.#rest.length > 0)
      throw malformed("it ends within an entry");
  }

  #content(bytes: Buffer): Buffer {
    const piece = bytes.subarray(0, Math.min(this.#left, bytes.length));
    this.#left -= piece.length;
    if (this.#extension) this.#extension.chunks.push(Buffer.from(piece));
    else this.#sink.data(piece);
    if (this.#left === 0) this.#ended();
    return bytes.subarray(piece.length);
  }

  #ended(): void {
    const extension = this.#extension;
    if (!extension) return this.#sink.end();
    this.#extension = undefined;
    const content = Buffer.concat(extension.chunks);
    if (extension.type === "L") this.#overrides["path"] = text(content);
    else if (extension.type === "K") this.#overrides["linkpath"] = text(content);
    else if (extension.type === "g") this.#global = { ...this.#global, ...paxRecords(content) };
    else this.#overrides = { ...this.#overrides, ...paxRecords(content) };
  }

  #header(block: Buffer): void {
    if (block[0] === 0 && block.every((byte) => byte === 0)) {
      this.#zeroBlocks++;
      return;
    }
    this.#zeroBlocks = 0;
    checkSum(block);
    const type = String.fromCharCode(block[156] ?? 0);
    let size = number(block, 124, 12);
    if ("xgLK".includes(type)) {
      if (size > EXTENSION_BYTES_MAX) throw malformed("the name of an entry is too long");
      this.#extension = { type, chunks: [] };
    } else {
      const entry = this.#entry(block, type, size);
      // Only files have content, whatever the others say.
      ({ size } = entry);
      this.#overrides = {};
      this.#sink.begin(entry);
    }
    this.#left = size;
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
    if (size === 0) this.#ended();
  }

  #entry(block: Buffer, type: string, size: number): TarEntry {
    const pax = { ...this.#global, ...this.#overrides };
    const kind = KINDS[type];
    if (kind === undefined || Object.keys(pax).some((key) => key.startsWith("GNU.sparse")))
      throw malformed(`it has an entry of the type ${JSON.stringify(type)}, which is not supported`);
    const isUstar = block.toString("latin1", 257, 262) === "ustar" && block[262] === 0;
    const prefix = isUstar ? text(block.subarray(345, 500)) : "";
    const name = text(block.subarray(0, 100));
    const path = pax["path"] ?? (prefix === "" ? name : `${prefix}/${name}`);
    const real = pax["size"] === undefined ? size : Number(pax["size"]);
    if (!Number.isSafeInteger(real) || real < 0) throw malformed("an entry has no valid size");
    return {
      // Old archives mark a folder by its name alone.
      kind: kind === "file" && path.endsWith("/") ? "folder" : kind,
      path,
      target: pax["linkpath"] ?? text(block.subarray(157, 257)),
      size: kind === "file" ? real : 0,
      mode: number(block, 100, 8) & 0o7777,
      uid: id(pax["uid"], block, 108),
      gid: id(pax["gid"], block, 116),
      modifiedAt: pax["mtime"] === undefined ? number(block, 136, 12) : Number(pax["mtime"]) || 0,
    };
  }
}

function malformed(why: string): ImageError {
  return new ImageError("invalid", `a layer of the image is no valid archive: ${why}`);
}

function id(pax: string | undefined, block: Buffer, offset: number): number {
  const value = pax === undefined ? number(block, offset, 8) : Number(pax);
  return Number.isInteger(value) && value >= 0 && value < 0xffff_ffff ? value : 0;
}

function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? bytes.length : end);
}

/** Octal digits, or (GNU) a number of the machine's kind, which the first bit says. */
function number(block: Buffer, offset: number, length: number): number {
  const first = block[offset] ?? 0;
  if (first & 0x80) {
    let value = first & 0x7f;
    for (let at = offset + 1; at < offset + length; at++) value = value * 256 + (block[at] ?? 0);
    return value;
  }
  let value = 0;
  for (let at = offset; at < offset + length; at++) {
    const byte = block[at] ?? 0;
    if (byte >= 48 && byte <= 55) value = value * 8 + byte - 48;
    else if (byte !== 32 || value > 0) break;
  }
  return value;
}

function checkSum(block: Buffer): void {
  let sum = 8 * 32;
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  if (sum !== number(block, 148, 8)) throw malformed("the checksum of an entry is wrong");
}

/** `27 path=some/long/name\n`: length, key, value. */
function paxRecords(content: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(32, at);
    const length = Number(content.toString("latin1", at, space));
    const end = at + length;
    if (space === -1 || !(length > 0) || end > content.length) throw malformed("an extended header is wrong");
    const equals = content.indexOf(61, space);
    if (equals !== -1 && equals < end)
      records[content.toString("utf8", space + 1, equals)] = content.toString("utf8", equals + 1, end - 1);
    at = end;
  }
  return records;
}
