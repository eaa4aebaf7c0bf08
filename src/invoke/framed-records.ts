/**
 * What AWS's runtime interface clients write when `_LAMBDA_TELEMETRY_LOG_FD` names a descriptor: each record in a frame, so that one of
 * several lines is one event. The descriptor is the standard output again, so that records and plain lines stay in their order.
 *
 *   0xa55a00 · 1 byte: format and level · 4 bytes: length · 8 bytes: time in microseconds · the message        (big-endian)
 *
 * Old clients have 0xa55a0001, and no time. No text in UTF-8 has these bytes.
 */
import { characterStart } from "./line-splitter.ts";

const MAGIC = Buffer.from([0xa5, 0x5a, 0x00]);
const OLD_TYPE = 0x01;
const OLD_HEADER_BYTES = 8;
const HEADER_BYTES = 16;
const lineFeed = 10;

export interface RecordSink {
  /** What is in no frame. */
  plain(chunk: Buffer): void;
  /** A record, or a part of one that is longer than `bytesMax`. What was plain before it is a line, ended or not. */
  record(payload: Buffer): void;
}

export class FramedRecords {
  readonly #bytesMax: number;
  readonly #sink: RecordSink;
  /** Of a header, or of what may become one. */
  #rest: Buffer = Buffer.alloc(0);
  /** Of a record, as far as it is here. */
  #record: Buffer[] = [];
  #recordBytes = 0;
  /** Bytes of it that are to come. */
  #missing = 0;

  constructor(bytesMax: number, sink: RecordSink) {
    this.#bytesMax = bytesMax;
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = bytes.subarray(0, 0);
    while (bytes.length > 0) {
      if (this.#missing > 0) {
        bytes = this.#take(bytes);
        continue;
      }
      const at = frameStart(bytes);
      if (at > 0) this.#sink.plain(bytes.subarray(0, at));
      bytes = bytes.subarray(at);
      const header = bytes[3] === OLD_TYPE ? OLD_HEADER_BYTES : HEADER_BYTES;
      if (bytes.length < header) {
        this.#rest = bytes;
        return;
      }
      this.#missing = bytes.readUInt32BE(4);
      bytes = bytes.subarray(header);
    }
  }

  /** What is unfinished is told as far as it is here. */
  end(): void {
    if (this.#rest.length > 0) this.#sink.plain(this.#rest);
    this.#rest = Buffer.alloc(0);
    this.#missing = 0;
    this.#tell();
  }

  #take(bytes: Buffer): Buffer {
    const part = bytes.subarray(0, Math.min(this.#missing, this.#bytesMax - this.#recordBytes));
    this.#record.push(part);
    this.#recordBytes += part.length;
    this.#missing -= part.length;
    if (this.#missing === 0 || this.#recordBytes >= this.#bytesMax) this.#tell();
    return bytes.subarray(part.length);
  }

  #tell(): void {
    if (this.#recordBytes === 0) return;
    const whole = Buffer.concat(this.#record, this.#recordBytes);
    const end = this.#missing > 0 ? characterStart(whole, whole.length) : whole.length;
    this.#record = end < whole.length ? [whole.subarray(end)] : [];
    this.#recordBytes = whole.length - end;
    const payload = whole.subarray(0, end);
    const isEnded = this.#missing > 0 || payload.at(-1) === lineFeed;
    this.#sink.record(isEnded ? payload : Buffer.concat([payload, Buffer.from("\n")]));
  }
}

/** Where a frame begins, or the last bytes do that may be the beginning of one. */
function frameStart(bytes: Buffer): number {
  const whole = bytes.indexOf(MAGIC);
  if (whole !== -1) return whole;
  for (let length = MAGIC.length - 1; length > 0; length--)
    if (bytes.length >= length && bytes.subarray(-length).equals(MAGIC.subarray(0, length)))
      return bytes.length - length;
  return bytes.length;
}
