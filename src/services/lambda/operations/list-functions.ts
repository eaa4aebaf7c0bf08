/** ListFunctions and ListVersionsByFunction */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { versionName } from "../catalogue.ts";
import type { Client, Lambda } from "../deps.ts";
import { describeListed } from "../describe.ts";
import { requireFunction, unqualifiedReference } from "../lookup.ts";
import { page, pageSize, readMarker } from "../paging.ts";
import { allPage, latestPage, versionPage } from "../store-lists.ts";

/** In order of name; with FunctionVersion ALL every version of each. */
export async function listFunctions(
  lambda: Lambda,
  input: Input<Client, "ListFunctions">,
  { account, region }: RequestContext,
): Promise<Output<Client, "ListFunctions">> {
  if (input.MasterRegion !== undefined)
    throw notImplemented("MasterRegion of ListFunctions (Lambda@Edge replicas)");
  const size = pageSize(input.MaxItems);
  const after = readMarker(input.Marker) ?? { name: "", number: -1 };
  const all = input.FunctionVersion === "ALL";
  const rows = all
    ? await allPage(lambda.database, account, region, after, size + 1)
    : await latestPage(lambda.database, account, region, after.name, size + 1);
  const { items, ...next } = page(rows, size, (row) => row);
  return {
    ...next,
    Functions: items.map((row) => describeListed(row, all ? versionName(row.number) : undefined)),
  };
}

/** $LATEST first, then the published versions in order. */
export async function listVersionsByFunction(
  lambda: Lambda,
  input: Input<Client, "ListVersionsByFunction">,
  context: RequestContext,
): Promise<Output<Client, "ListVersionsByFunction">> {
  const id = unqualifiedReference(input, context);
  await requireFunction(lambda.database, id);
  const size = pageSize(input.MaxItems);
  const after = readMarker(input.Marker)?.number ?? -1;
  const { items, ...next } = page(
    await versionPage(lambda.database, id, after, size + 1),
    size,
    (row) => row,
  );
  return { ...next, Versions: items.map((row) => describeListed(row, versionName(row.number))) };
}
