/** Conditional requests: reads (RFC 9110 precedence), writes, and the sources of copies. */
import { headerNotImplemented, s3Error } from "./errors.ts";

/** What conditions are held against. */
export interface Subject {
  /** Without quotes. */
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
}

export interface ReadConditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly ifModifiedSince?: Date | undefined;
  readonly ifUnmodifiedSince?: Date | undefined;
}

/** Entity tags and dates of HTTP know whole seconds. */
function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}

/** Whether a list of entity tags (`"a", W/"b"`, `*`, also without quotes) names this one. */
export function matchesEtag(header: string, etag: string): boolean {
  const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, "").replaceAll('"', ""));
  return tags.includes("*") || tags.includes(etag);
}

/** What a conditional read comes to: the failed header, `NotModified`, or undefined to go ahead. */
export function evaluateRead(subject: Subject, conditions: ReadConditions): string | undefined {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  const modified = seconds(subject.lastModified);
  if (ifMatch !== undefined) {
    if (!matchesEtag(ifMatch, subject.etag)) return "If-Match";
  } else if (ifUnmodifiedSince !== undefined && modified > seconds(ifUnmodifiedSince.getTime()))
    return "If-Unmodified-Since";
  if (ifNoneMatch !== undefined) return matchesEtag(ifNoneMatch, subject.etag) ? "NotModified" : undefined;
  if (ifModifiedSince !== undefined && modified <= seconds(ifModifiedSince.getTime())) return "NotModified";
  return undefined;
}

/** @throws PreconditionFailed (412), also where a plain read would answer 304. */
export function checkCopySource(subject: Subject, conditions: ReadConditions): void {
  const failed = evaluateRead(subject, conditions);
  if (failed === undefined) return;
  const none = conditions.ifNoneMatch === undefined ? "If-Modified-Since" : "If-None-Match";
  throw preconditionFailed(`x-amz-copy-source-${failed === "NotModified" ? none : failed}`);
}

export interface WriteConditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/** @throws NotImplemented: S3 takes `*` alone in If-None-Match of a write. */
export function checkWriteHeaders(conditions: WriteConditions): void {
  if (conditions.ifNoneMatch !== undefined && conditions.ifNoneMatch !== "*")
    throw headerNotImplemented(
      "If-None-Match",
      "We don't accept the provided value of If-None-Match header for this API",
    );
  if (conditions.ifNoneMatch !== undefined && conditions.ifMatch !== undefined)
    throw headerNotImplemented(
      "If-Match,If-None-Match",
      "Multiple conditional request headers present in the request",
    );
}

/**
 * Holds a write's conditions against what the key names now (undefined: nothing, or a delete marker).
 * @throws PreconditionFailed, or NoSuchKey where If-Match finds nothing.
 */
export function checkWrite(
  conditions: WriteConditions,
  current: { etag: string } | undefined,
  key: string,
): void {
  if (conditions.ifNoneMatch !== undefined && current) throw preconditionFailed("If-None-Match");
  if (conditions.ifMatch === undefined) return;
  if (!current) throw s3Error("NoSuchKey", { Key: key });
  if (!matchesEtag(conditions.ifMatch, current.etag)) throw preconditionFailed("If-Match");
}

export function preconditionFailed(condition: string) {
  return s3Error("PreconditionFailed", { Condition: condition });
}
