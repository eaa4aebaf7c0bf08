/** Ids of rows. */
import type { Ids } from "../../kit/id.ts";

/** Never used again, unlike a counter's: 52 random bits. */
export function newRowId(ids: Ids): number {
  return Number.parseInt(ids.hex(13), 16);
}
