/** IAM's pagination: Marker, MaxItems, IsTruncated, over items in the order of a unique key. */
import { validationError } from "./errors.ts";

const ITEMS_DEFAULT = 100;

export interface PageRequest {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** To be spread into the answer. */
  readonly truncation: { readonly IsTruncated: boolean; readonly Marker?: string };
}

/** Takes one page of `items`, in ascending order of `keyOf`. @throws AwsError for a marker that is not ours. */
export function pageOf<T>(items: readonly T[], keyOf: (item: T) => string, request: PageRequest): Page<T> {
  const after = request.Marker === undefined ? undefined : readMarker(request.Marker);
  // By UTF-16 units, whatever order the database's collation gave.
  const rest = items
    .filter((item) => after === undefined || keyOf(item) > after)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const page = rest.slice(0, request.MaxItems ?? ITEMS_DEFAULT);
  const last = page.at(-1);
  if (last === undefined || page.length === rest.length)
    return { items: page, truncation: { IsTruncated: false } };
  return { items: page, truncation: { IsTruncated: true, Marker: writeMarker(keyOf(last)) } };
}

function writeMarker(key: string): string {
  return Buffer.from(JSON.stringify(["after", key])).toString("base64url");
}

function readMarker(marker: string): string {
  try {
    const value: unknown = JSON.parse(Buffer.from(marker, "base64url").toString());
    if (Array.isArray(value) && value[0] === "after" && typeof value[1] === "string") return value[1];
  } catch {
    // Not ours; answered below.
  }
  throw validationError("Invalid Marker.");
}
