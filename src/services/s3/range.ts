/** The Range header as S3 reads it: one range of bytes, or nothing. */
import type { ByteRange } from "../../store/blobs.ts";
import { s3Error } from "./errors.ts";

/**
 * The bytes a `Range` header asks for; undefined means the whole object (several ranges, other units and
 * malformed headers are ignored, as RFC 9110 has it and S3 does).
 * @throws InvalidRange when no byte of the object lies in it.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "");
  if (!match) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const suffix = Math.min(Number(last), size);
    if (suffix === 0) throw unsatisfiable(header, size);
    return { start: size - suffix, end: size - 1 };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) throw unsatisfiable(header, size);
  return { start, end: last === "" ? size - 1 : Math.min(Number(last), size - 1) };
}

/** `bytes 0-9/100` */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${range.start}-${range.end}/${size}`;
}

function unsatisfiable(header: string | undefined, size: number) {
  return s3Error("InvalidRange", { RangeRequested: header ?? "", ActualObjectSize: size });
}
