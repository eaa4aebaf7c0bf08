/** One page of a listing by key: rows and common prefixes together, seeking past what a prefix stands for. */
import type { ListedVersion } from "../store-listing.ts";
import { afterKey, afterPrefix, commonPrefix, later, startsWith } from "./keys.ts";

/** What orders rows: by key, and among those of one key by number. */
export type Place = Pick<ListedVersion, "object_key" | "seq">;

/** Where a fetch begins: at a key, or behind a row. */
export type Cursor = { readonly from: Buffer } | { readonly after: Place };

/** Rows from a cursor on, below the key `end`, at most `limit`; fewer mean that there are no more. */
export type Fetch<Row extends Place> = (
  cursor: Cursor,
  end: Buffer,
  limit: number,
) => Promise<readonly Row[]>;

export interface Walk<Row extends Place> {
  readonly prefix: Buffer;
  readonly delimiter: Buffer;
  /** The key or common prefix that the caller has seen; what it stands for is not told again. */
  readonly marker: Buffer | undefined;
  /** Where to begin when it is not simply behind the marker. */
  readonly start?: Cursor;
  /** Rows and common prefixes together. */
  readonly limit: number;
  readonly fetch: Fetch<Row>;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly prefixes: readonly Buffer[];
  /** More follows. */
  readonly truncated: boolean;
  /** The last entry of the page, whichever kind it is. */
  readonly last: { readonly row: Row } | { readonly prefix: Buffer } | undefined;
}

/** Rows of the first fetch where keys may be rolled up, because most of them may then be skipped. */
const ROWS_PER_SEEK = 24;
const ROWS_PER_FETCH_MAX = 1_001;

export async function walk<Row extends Place>(options: Walk<Row>): Promise<Page<Row>> {
  const { prefix, delimiter, limit, fetch } = options;
  const rows: Row[] = [];
  const prefixes: Buffer[] = [];
  let last: Page<Row>["last"];
  if (limit === 0) return { rows, prefixes, truncated: false, last };
  const end = afterPrefix(prefix);
  const unrolled = delimiter.length === 0;
  let cursor = begin(options);
  let size = unrolled ? Math.min(limit + 1, ROWS_PER_FETCH_MAX) : ROWS_PER_SEEK;
  let rolledUpTo = prefix;
  for (;;) {
    const batch = await fetch(cursor, end, size);
    for (const row of batch) {
      if (row.object_key.compare(rolledUpTo) < 0) continue;
      if (rows.length + prefixes.length === limit) return { rows, prefixes, truncated: true, last };
      const common = commonPrefix(row.object_key, prefix, delimiter);
      if (common) {
        prefixes.push(common);
        last = { prefix: common };
        rolledUpTo = afterPrefix(common);
      } else {
        rows.push(row);
        last = { row };
      }
    }
    const tail = batch.at(-1);
    if (batch.length < size || !tail) return { rows, prefixes, truncated: false, last };
    const seek = tail.object_key.compare(rolledUpTo) < 0;
    cursor = seek ? { from: rolledUpTo } : { after: tail };
    if (!unrolled) size = seek ? ROWS_PER_SEEK : Math.min(size * 2, ROWS_PER_FETCH_MAX);
  }
}

function begin<Row extends Place>({ prefix, delimiter, marker, start }: Walk<Row>): Cursor {
  const rolledUp = marker && commonPrefix(marker, prefix, delimiter);
  if (rolledUp) return { from: afterPrefix(rolledUp) };
  if (start && marker && startsWith(marker, prefix)) return start;
  if (!marker || marker.compare(prefix) < 0) return { from: prefix };
  return { from: later(prefix, afterKey(marker)) };
}
