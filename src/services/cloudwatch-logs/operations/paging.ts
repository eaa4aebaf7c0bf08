/** Pages of lists that are in order of a name. */
import { readToken, writeToken } from "../lookup.ts";

/** What AWS answers at once unless it is told otherwise. */
const PAGE_DEFAULT = 50;

/**
 * The page after a token, and the token of the next one.
 * @param keyOf Grows along the list, and differs for each
 * @throws AwsError InvalidParameterException for a token that is not ours
 */
export function pageOf<T>(
  list: readonly T[],
  { nextToken, limit = PAGE_DEFAULT }: { nextToken?: string | undefined; limit?: number | undefined },
  keyOf: (one: T) => string,
): { readonly page: readonly T[]; readonly nextToken?: string } {
  const from = nextToken === undefined ? undefined : readToken(nextToken, isText);
  const rest = from === undefined ? list : list.filter((one) => keyOf(one) > from);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return { page, ...(last && page.length < rest.length && { nextToken: writeToken(keyOf(last)) }) };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
