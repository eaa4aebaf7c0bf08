/** The headers that are kept with an object: system-defined ones and the user's. */
import { notImplemented } from "../../aws/errors.ts";
import { s3Error } from "./errors.ts";
import { checkRedirectLocation } from "./website/configuration.ts";
import { METADATA_BYTES_MAX } from "./limits.ts";

/** The classes beside STANDARD whose objects are read at once, as all are here; what they cost is no matter here. */
export type StorageClass =
  | "STANDARD_IA"
  | "ONEZONE_IA"
  | "INTELLIGENT_TIERING"
  | "GLACIER_IR"
  | "REDUCED_REDUNDANCY";

/** As stored (JSON) and as answered with every read. */
export interface ObjectHeaders {
  readonly contentType: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  /** Epoch milliseconds. */
  readonly expires?: number;
  /** Where a website sends those who ask for the object. */
  readonly redirect?: string;
  /** Absent for STANDARD. */
  readonly storageClass?: StorageClass;
  /** Names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface HeaderMembers {
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly ContentType?: string | undefined;
  readonly Expires?: Date | undefined;
  readonly Metadata?: Record<string, string> | undefined;
  readonly StorageClass?: string | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
}

const DEFAULT_CONTENT_TYPE = "binary/octet-stream";

/**
 * The headers of a new object.
 * @throws MetadataTooLarge when names and values of the user's metadata exceed 2 KB; InvalidRedirectLocation; what
 *   {@link readStorageClass} throws
 */
export function readHeaders(input: HeaderMembers): ObjectHeaders {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of Object.entries(input.Metadata ?? {})) {
    metadata[name.toLowerCase()] = value;
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (bytes > METADATA_BYTES_MAX)
    throw s3Error("MetadataTooLarge", { Size: bytes, MaxSizeAllowed: METADATA_BYTES_MAX });
  const encoding = withoutChunked(input.ContentEncoding);
  return {
    contentType: input.ContentType || DEFAULT_CONTENT_TYPE,
    ...(input.CacheControl ? { cacheControl: input.CacheControl } : {}),
    ...(input.ContentDisposition ? { contentDisposition: input.ContentDisposition } : {}),
    ...(encoding ? { contentEncoding: encoding } : {}),
    ...(input.ContentLanguage ? { contentLanguage: input.ContentLanguage } : {}),
    ...(input.Expires ? { expires: input.Expires.getTime() } : {}),
    ...(input.WebsiteRedirectLocation
      ? { redirect: checkRedirectLocation(input.WebsiteRedirectLocation) }
      : {}),
    ...readStorageClass(input.StorageClass),
    metadata,
  };
}

/** The members that tell stored headers. */
export function headerOutput(
  stored: ObjectHeaders,
): Omit<HeaderMembers, "StorageClass"> & { StorageClass?: StorageClass } {
  return {
    ContentType: stored.contentType,
    CacheControl: stored.cacheControl,
    ContentDisposition: stored.contentDisposition,
    ContentEncoding: stored.contentEncoding,
    ContentLanguage: stored.contentLanguage,
    Expires: stored.expires === undefined ? undefined : new Date(stored.expires),
    Metadata: { ...stored.metadata },
    ...(stored.redirect !== undefined && { WebsiteRedirectLocation: stored.redirect }),
    ...(stored.storageClass !== undefined && { StorageClass: stored.storageClass }),
  };
}

/** A copy's headers, which are its source's but for its storage class and where a website sends those who ask for it. */
export function copiedHeaders(
  headers: string,
  { StorageClass, WebsiteRedirectLocation: location }: HeaderMembers,
): string {
  const { redirect, storageClass, ...rest } = JSON.parse(headers) as ObjectHeaders;
  const asked = readStorageClass(StorageClass);
  if (redirect === undefined && storageClass === undefined && !location && !asked.storageClass)
    return headers;
  return JSON.stringify({
    ...rest,
    ...(location && { redirect: checkRedirectLocation(location) }),
    ...asked,
  });
}

/** `aws-chunked` is how the body travelled, and no part of the object. */
function withoutChunked(encoding: string | undefined): string | undefined {
  const kept = encoding
    ?.split(",")
    .map((one) => one.trim())
    .filter((one) => one.toLowerCase() !== "aws-chunked");
  return kept?.join(",") || undefined;
}

const STORAGE_CLASSES: ReadonlySet<string> = new Set<StorageClass>([
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER_IR",
  "REDUCED_REDUNDANCY",
]);
const REFUSED_CLASSES: ReadonlySet<string> = new Set([
  "GLACIER",
  "DEEP_ARCHIVE",
  "OUTPOSTS",
  "SNOW",
  "EXPRESS_ONEZONE",
  "FSX_OPENZFS",
  "FSX_ONTAP",
]);

/**
 * The class of a new object.
 *
 * @throws NotImplemented for classes whose objects would have to be restored first, or are of other stores; InvalidStorageClass
 */
export function readStorageClass(asked: string | undefined): Pick<ObjectHeaders, "storageClass"> {
  if (asked === undefined || asked === "STANDARD") return {};
  if (STORAGE_CLASSES.has(asked)) return { storageClass: asked as StorageClass };
  if (REFUSED_CLASSES.has(asked)) throw notImplemented(`the storage class ${asked}`);
  throw s3Error("InvalidStorageClass", { StorageClassRequested: asked });
}

/** The class of what has these stored headers. */
export function storageClassOf(headers: string | null): StorageClass | "STANDARD" {
  return (headers === null ? undefined : (JSON.parse(headers) as ObjectHeaders).storageClass) ?? "STANDARD";
}
