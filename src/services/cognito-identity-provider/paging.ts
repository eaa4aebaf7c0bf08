/** Pages over rows in the order of a unique key: the token is the last one's. */
import { invalidParameter } from "./errors.ts";

const PREFIX = "after:";

/** @throws AwsError for a token that is not ours */
export function readToken(token: string | undefined): string {
  if (token === undefined) return "";
  const text = Buffer.from(token, "base64url").toString();
  if (!text.startsWith(PREFIX)) throw invalidParameter("Invalid pagination token.");
  return text.slice(PREFIX.length);
}

export function writeToken(key: string): string {
  return Buffer.from(PREFIX + key).toString("base64url");
}

/** Cuts what was read, one more than the page holds, to the page. */
export function pageOf<T>(
  rows: readonly T[],
  limit: number,
  keyOf: (row: T) => string,
): { readonly items: readonly T[]; readonly token: string | undefined } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, token: rows.length > limit && last !== undefined ? writeToken(keyOf(last)) : undefined };
}
