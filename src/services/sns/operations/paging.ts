/** Pages of lists: a hundred at a time, after what the token names. */
import { invalid } from "../errors.ts";
import { PAGE_MAX } from "../limits.ts";

const MARK = "after ";

/** @throws AwsError InvalidParameter for a token that no list has given */
export async function page<T>(
  token: string | undefined,
  read: (after: string, count: number) => Promise<T[]>,
  keyOf: (item: T) => string,
): Promise<{ readonly items: readonly T[]; readonly next: { readonly NextToken?: string } }> {
  const found = await read(readToken(token), PAGE_MAX + 1);
  const items = found.slice(0, PAGE_MAX);
  const last = items.at(-1);
  const isMore = found.length > PAGE_MAX && last !== undefined;
  return { items, next: isMore ? { NextToken: writeToken(keyOf(last)) } : {} };
}

function writeToken(after: string): string {
  return Buffer.from(MARK + after).toString("base64url");
}

function readToken(token: string | undefined): string {
  if (!token) return "";
  const text = Buffer.from(token, "base64url").toString();
  if (!text.startsWith(MARK)) throw invalid("NextToken");
  return text.slice(MARK.length);
}
