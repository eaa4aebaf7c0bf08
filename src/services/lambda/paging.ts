/** Markers and page sizes of the list operations. */
import { invalidParameter } from "./errors.ts";
import { PAGE_ITEMS_MAX } from "./limits.ts";

/** How many items a page has; AWS answers at most 50 whatever is asked for. */
export function pageSize(maxItems: number | undefined): number {
  return Math.min(maxItems ?? PAGE_ITEMS_MAX, PAGE_ITEMS_MAX);
}

/** Where a page begins: after this place, which an earlier page's NextMarker named. */
export function readMarker(marker: string | undefined): { name: string; number: number } | undefined {
  if (marker === undefined || marker === "") return undefined;
  try {
    const place = JSON.parse(Buffer.from(marker, "base64url").toString()) as {
      name?: unknown;
      number?: unknown;
    };
    if (typeof place.name === "string" && Number.isSafeInteger(place.number))
      return { name: place.name, number: place.number as number };
  } catch {
    // Not one of ours: answered below.
  }
  throw invalidParameter(`Invalid Marker: ${marker}`);
}

/** One more than a page was read: the page, and the marker of the next where there is one. */
export function page<T>(
  items: readonly T[],
  size: number,
  place: (item: T) => { name: string; number: number },
): { items: readonly T[]; NextMarker?: string } {
  const last = items[size - 1];
  if (items.length <= size || last === undefined) return { items };
  const { name, number } = place(last);
  return {
    items: items.slice(0, size),
    NextMarker: Buffer.from(JSON.stringify({ name, number })).toString("base64url"),
  };
}
