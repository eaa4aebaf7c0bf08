/** Pages of lists, in the order of names. */
import { invalidParameter } from "./errors.ts";
import { LIST_RESULTS_MAX } from "./limits.ts";

const PREFIX = "after ";

interface Request {
  readonly NextToken?: string | undefined;
  readonly Limit?: number | undefined;
}

interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: { readonly NextToken?: string };
}

/**
 * One page. @param fetch So many rows after a name. @param nameOf What the next page begins after. @param belongs Whether a row is listed.
 * @throws AwsError ValidationException for a token that is not ours
 */
export async function pageOf<Row>(
  { NextToken, Limit = LIST_RESULTS_MAX }: Request,
  fetch: (after: string, count: number) => Promise<readonly Row[]>,
  nameOf: (row: Row) => string,
  belongs: (row: Row) => boolean = () => true,
): Promise<Page<Row>> {
  let after = readToken(NextToken);
  const rows: Row[] = [];
  for (;;) {
    const count = Limit + 1;
    const found = await fetch(after, count);
    rows.push(...found.filter(belongs));
    const last = found.at(-1);
    if (rows.length > Limit || found.length < count || last === undefined) break;
    after = nameOf(last);
  }
  const page = rows.slice(0, Limit);
  const last = page.at(-1);
  const isMore = rows.length > Limit && last !== undefined;
  return { rows: page, next: isMore ? { NextToken: writeToken(nameOf(last)) } : {} };
}

function writeToken(after: string): string {
  return Buffer.from(PREFIX + after).toString("base64url");
}

function readToken(token: string | undefined): string {
  if (token === undefined) return "";
  const text = Buffer.from(token, "base64url").toString();
  if (!text.startsWith(PREFIX)) throw invalidParameter("NextToken");
  return text.slice(PREFIX.length);
}
