/** Numbers that order the versions of a key and the uploads of a bucket, and the ids that carry them. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";

/** Numbers a millisecond can give; with it they stay safe integers until the year 2109. */
const PER_MS = 2_048;

const VERSION_ID_BYTES = 24;
const UPLOAD_ID_BYTES = 48;

export class Sequence {
  readonly #clock: Clock;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A number greater than every one given before, and than `after`: also where the clock was set back. */
  next(after = 0): number {
    this.#last = Math.max(this.#clock.now() * PER_MS, this.#last + 1, after + 1);
    return this.#last;
  }
}

/** A version id: opaque to callers; it carries its number, so that a listing can go on after the version is gone. */
export function versionId(seq: number, ids: Ids): string {
  return idWith(seq, VERSION_ID_BYTES, ids);
}

export function uploadId(seq: number, ids: Ids): string {
  return idWith(seq, UPLOAD_ID_BYTES, ids);
}

/** The number in a version id, or undefined for what S3 calls an invalid version id. */
export function seqOfVersionId(id: string): number | undefined {
  return seqOf(id, VERSION_ID_BYTES);
}

export function seqOfUploadId(id: string): number | undefined {
  return seqOf(id, UPLOAD_ID_BYTES);
}

/** The sequencer of an event: compared as text among the events of one key. */
export function sequencer(seq: number): string {
  return seq.toString(16).toUpperCase().padStart(18, "0");
}

function idWith(seq: number, bytes: number, ids: Ids): string {
  const head = Buffer.alloc(8);
  head.writeBigUInt64BE(BigInt(seq));
  return Buffer.concat([head, Buffer.from(ids.hex((bytes - 8) * 2), "hex")]).toString("base64url");
}

function seqOf(id: string, bytes: number): number | undefined {
  const decoded = Buffer.from(id, "base64url");
  if (decoded.length !== bytes || decoded.toString("base64url") !== id) return undefined;
  const seq = decoded.readBigUInt64BE();
  return seq <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seq) : undefined;
}
