/** Create-, Get-, Update-, Delete- and ListFunctionUrlConfig(s) */
import type { Cors } from "@aws-sdk/client-lambda";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import type { Client, Lambda } from "../deps.ts";
import { conflict, invalidParameter, notFound } from "../errors.ts";
import { ownReference, unqualifiedReference } from "../lookup.ts";
import { LATEST, functionArn, isVersion } from "../names.ts";
import type { FunctionReference } from "../names.ts";
import { page, pageSize, readMarker } from "../paging.ts";
import { readAlias } from "../store-aliases.ts";
import { deleteUrls, readUrl, readUrls, saveUrl } from "../store-urls.ts";
import type { UrlRow } from "../store-urls.ts";
import { readTags } from "../store.ts";
import { URL_ID_CHARS, functionUrl } from "../urls/url-host.ts";

/** Gives a function, or an alias of it, a URL, which stays the same until it is deleted. */
export async function createFunctionUrlConfig(
  lambda: Lambda,
  input: Input<Client, "CreateFunctionUrlConfig">,
  context: RequestContext,
): Promise<Output<Client, "CreateFunctionUrlConfig">> {
  const reference = urlReference(input, context);
  const row = await lambda.database.tx(async (tx) => {
    await requireTarget(tx, reference);
    if (await readUrl(tx, reference, reference.qualifier ?? ""))
      throw conflict(
        `Failed to create function url config for [functionArn = ${functionArn(reference, reference.qualifier)}]. ` +
          "Error message:  FunctionUrlConfig exists for this Lambda function",
      );
    const now = lambda.clock.now();
    const created: UrlRow = {
      ...reference,
      qualifier: reference.qualifier ?? "",
      urlId: lambda.ids.hex(URL_ID_CHARS),
      authType: input.AuthType ?? "AWS_IAM",
      invokeMode: input.InvokeMode ?? "BUFFERED",
      cors: corsOf(input.Cors),
      createdAt: now,
      lastModified: now,
    };
    await saveUrl(tx, created);
    return created;
  });
  const { LastModifiedTime: _, ...config } = describe(row, context);
  return config;
}

export async function getFunctionUrlConfig(
  lambda: Lambda,
  input: Input<Client, "GetFunctionUrlConfig">,
  context: RequestContext,
): Promise<Output<Client, "GetFunctionUrlConfig">> {
  return describe(await find(lambda.database, urlReference(input, context)), context);
}

/** Changes what the request names; CORS as a whole. */
export async function updateFunctionUrlConfig(
  lambda: Lambda,
  input: Input<Client, "UpdateFunctionUrlConfig">,
  context: RequestContext,
): Promise<Output<Client, "UpdateFunctionUrlConfig">> {
  const reference = urlReference(input, context);
  return lambda.database.tx(async (tx) => {
    const current = await find(tx, reference);
    const updated: UrlRow = {
      ...current,
      authType: input.AuthType ?? current.authType,
      invokeMode: input.InvokeMode ?? current.invokeMode,
      cors: input.Cors === undefined ? current.cors : corsOf(input.Cors),
      lastModified: lambda.clock.now(),
    };
    await saveUrl(tx, updated);
    return describe(updated, context);
  });
}

export async function deleteFunctionUrlConfig(
  lambda: Lambda,
  input: Input<Client, "DeleteFunctionUrlConfig">,
  context: RequestContext,
): Promise<object> {
  const reference = urlReference(input, context);
  await lambda.database.tx(async (tx) => {
    if ((await deleteUrls(tx, reference, reference.qualifier ?? "")) === 0) throw noUrl();
  });
  return {};
}

/** The function's own, and those of its aliases. */
export async function listFunctionUrlConfigs(
  lambda: Lambda,
  input: Input<Client, "ListFunctionUrlConfigs">,
  context: RequestContext,
): Promise<Output<Client, "ListFunctionUrlConfigs">> {
  const id = unqualifiedReference(input, context);
  await requireTarget(lambda.database, id);
  const after = readMarker(input.Marker)?.name;
  const rows = (await readUrls(lambda.database, id)).filter(
    (row) => after === undefined || row.qualifier > after,
  );
  const { items, ...next } = page(rows, pageSize(input.MaxItems), (row) => ({
    name: row.qualifier,
    number: 0,
  }));
  return { ...next, FunctionUrlConfigs: items.map((row) => describe(row, context)) };
}

/** The function, or the alias. @throws InvalidParameterValueException for a version, which has no URL. */
function urlReference(
  input: { FunctionName?: string | undefined; Qualifier?: string | undefined },
  context: RequestContext,
): FunctionReference {
  const reference = ownReference(input, context);
  if (reference.qualifier === LATEST) return { ...reference, qualifier: undefined };
  if (reference.qualifier !== undefined && isVersion(reference.qualifier))
    throw invalidParameter("A function URL is of a function or of an alias, not of a version.");
  return reference;
}

async function requireTarget(reader: Reader, reference: FunctionReference): Promise<void> {
  const { qualifier } = reference;
  const isThere =
    (await readTags(reader, reference)) &&
    (qualifier === undefined || (await readAlias(reader, reference, qualifier)));
  if (!isThere) throw notFound("Function does not exist");
}

async function find(reader: Reader, reference: FunctionReference): Promise<UrlRow> {
  const row = await readUrl(reader, reference, reference.qualifier ?? "");
  if (!row) throw noUrl();
  return row;
}

function noUrl(): Error {
  return notFound("The resource you requested does not exist.");
}

/** Nothing configured is no CORS. */
function corsOf(cors: Cors | undefined): Cors | null {
  return cors && Object.values(cors).some((value) => value !== undefined) ? cors : null;
}

function describe(row: UrlRow, { endpoint }: RequestContext) {
  return {
    FunctionUrl: functionUrl(row.urlId, row.region, endpoint),
    FunctionArn: functionArn(row, row.qualifier === "" ? undefined : row.qualifier),
    AuthType: row.authType,
    ...(row.cors && { Cors: row.cors }),
    CreationTime: new Date(row.createdAt).toISOString(),
    LastModifiedTime: new Date(row.lastModified).toISOString(),
    InvokeMode: row.invokeMode,
  };
}
