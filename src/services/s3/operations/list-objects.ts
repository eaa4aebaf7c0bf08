/** ListObjects and ListObjectsV2: current objects by key. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, canonicalUserId } from "../access.ts";
import type { S3 } from "../deps.ts";
import { invalidArgument } from "../errors.ts";
import { encoder, listedKey } from "../listing/encoding.ts";
import { afterKey } from "../listing/keys.ts";
import { pageSize } from "../listing/page-size.ts";
import { readToken, writeToken } from "../listing/token.ts";
import { walk } from "../listing/walk.ts";
import type { Fetch, Page } from "../listing/walk.ts";
import { refuseUnsupported } from "../refusals.ts";
import type { BucketRow } from "../rows.ts";
import { listObjects as fetchObjects } from "../store-listing.ts";
import type { ListedVersion } from "../store-listing.ts";
import type { Client } from "./client.ts";

export async function listObjectsV2(
  s3: S3,
  input: Input<Client, "ListObjectsV2">,
  context: RequestContext,
): Promise<Output<Client, "ListObjectsV2">> {
  refuseUnsupported(input);
  const encode = encoder(input.EncodingType);
  const most = pageSize(input.MaxKeys, "maxKeys");
  const token = input.ContinuationToken;
  if (token === "")
    throw invalidArgument("The continuation token provided is incorrect", "continuation-token", token);
  const marker = token === undefined ? input.StartAfter : readToken(token);
  const bucket = await bucketFor(s3.database, input, context);
  const page = await pageOf(s3, bucket, input, marker, most);
  const next = lastKey(page);
  return {
    ...common(page, input, encode, most),
    KeyCount: page.rows.length + page.prefixes.length,
    Contents: page.rows.map((row) =>
      listed(row, encode, input.FetchOwner === true ? bucket.account : undefined),
    ),
    ...(token === undefined ? {} : { ContinuationToken: token }),
    ...(page.truncated && next !== undefined ? { NextContinuationToken: writeToken(next) } : {}),
    ...(input.StartAfter === undefined ? {} : { StartAfter: encode(input.StartAfter) }),
  };
}

export async function listObjects(
  s3: S3,
  input: Input<Client, "ListObjects">,
  context: RequestContext,
): Promise<Output<Client, "ListObjects">> {
  refuseUnsupported(input);
  const encode = encoder(input.EncodingType);
  const most = pageSize(input.MaxKeys, "maxKeys");
  const bucket = await bucketFor(s3.database, input, context);
  const page = await pageOf(s3, bucket, input, input.Marker, most);
  const next = lastKey(page);
  // Version 1 names the next marker only where the last key of the page would not do.
  const nextMarker =
    page.truncated && input.Delimiter && next !== undefined ? { NextMarker: encode(next) } : {};
  return {
    ...common(page, input, encode, most),
    Marker: encode(input.Marker ?? ""),
    Contents: page.rows.map((row) => listed(row, encode, bucket.account)),
    ...nextMarker,
  };
}

interface Listing {
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly EncodingType?: "url" | undefined;
}

function pageOf(s3: S3, bucket: BucketRow, input: Listing, marker: string | undefined, limit: number) {
  const fetch: Fetch<ListedVersion> = (cursor, to, most) => {
    const from = "from" in cursor ? cursor.from : afterKey(cursor.after.object_key);
    return fetchObjects(s3.database, bucket.name, { from, to }, most);
  };
  return walk({
    prefix: Buffer.from(input.Prefix ?? ""),
    delimiter: Buffer.from(input.Delimiter ?? ""),
    marker: marker ? Buffer.from(marker) : undefined,
    limit,
    fetch,
  });
}

function common(
  page: Page<ListedVersion>,
  input: Listing & { Bucket?: string | undefined },
  encode: (text: string) => string,
  most: number,
) {
  return {
    Name: input.Bucket,
    Prefix: encode(input.Prefix ?? ""),
    ...(input.Delimiter ? { Delimiter: encode(input.Delimiter) } : {}),
    MaxKeys: most,
    IsTruncated: page.truncated,
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix.toString()) })),
    ...(input.EncodingType ? { EncodingType: input.EncodingType } : {}),
  };
}

function listed(row: ListedVersion, encode: (text: string) => string, owner: string | undefined) {
  return {
    ...listedKey(row, encode),
    ...(owner === undefined ? {} : { Owner: { ID: canonicalUserId(owner) } }),
  };
}

function lastKey({ last }: Page<ListedVersion>): string | undefined {
  if (!last) return undefined;
  return ("row" in last ? last.row.object_key : last.prefix).toString();
}
