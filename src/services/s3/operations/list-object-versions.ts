/** ListObjectVersions: versions and delete markers, by key and the newest first. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, canonicalUserId } from "../access.ts";
import type { S3 } from "../deps.ts";
import { invalidArgument } from "../errors.ts";
import { encoder, listedKey } from "../listing/encoding.ts";
import { pageSize } from "../listing/page-size.ts";
import { fetchVersions } from "../listing/fetch.ts";
import { walk } from "../listing/walk.ts";
import type { Cursor } from "../listing/walk.ts";
import { refuseUnsupported } from "../refusals.ts";
import type { BucketRow } from "../rows.ts";
import { seqOfVersionId } from "../sequence.ts";
import type { ListedVersion } from "../store-listing.ts";
import { headOfVersion } from "../store-objects.ts";
import { NULL_VERSION } from "../versions.ts";
import type { Client } from "./client.ts";

export async function listObjectVersions(
  s3: S3,
  input: Input<Client, "ListObjectVersions">,
  context: RequestContext,
): Promise<Output<Client, "ListObjectVersions">> {
  refuseUnsupported(input);
  const encode = encoder(input.EncodingType);
  const most = pageSize(input.MaxKeys, "maxKeys");
  const bucket = await bucketFor(s3.database, input, context);
  const start = await startOf(s3, bucket, input);
  const page = await walk({
    prefix: Buffer.from(input.Prefix ?? ""),
    delimiter: Buffer.from(input.Delimiter ?? ""),
    marker: input.KeyMarker ? Buffer.from(input.KeyMarker) : undefined,
    ...(start ? { start } : {}),
    limit: most,
    fetch: fetchVersions(s3.database, bucket.name),
  });
  const owner = { ID: canonicalUserId(bucket.account) };
  const versions = page.rows.filter((row) => row.is_marker === 0);
  const markers = page.rows.filter((row) => row.is_marker === 1);
  const identity = (row: ListedVersion) => ({
    VersionId: row.version_id,
    IsLatest: row.is_latest === 1,
    Owner: owner,
  });
  return {
    Name: bucket.name,
    Prefix: encode(input.Prefix ?? ""),
    KeyMarker: encode(input.KeyMarker ?? ""),
    VersionIdMarker: input.VersionIdMarker ?? "",
    MaxKeys: most,
    IsTruncated: page.truncated,
    ...(input.Delimiter ? { Delimiter: encode(input.Delimiter) } : {}),
    ...(input.EncodingType ? { EncodingType: input.EncodingType } : {}),
    ...(page.truncated ? nextMarkers(page.last, encode) : {}),
    Versions: versions.map((row) => {
      const listed = listedKey(row, encode);
      // The model knows one class of versions alone; S3 tells them all.
      return { ...listed, StorageClass: listed.StorageClass as "STANDARD", ...identity(row) };
    }),
    DeleteMarkers: markers.map((row) => {
      const { Key, LastModified } = listedKey(row, encode);
      return { Key, LastModified, ...identity(row) };
    }),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix.toString()) })),
  };
}

/** Behind one version of the marker's key; the version itself may have been deleted since. */
async function startOf(
  s3: S3,
  bucket: BucketRow,
  input: Input<Client, "ListObjectVersions">,
): Promise<Cursor | undefined> {
  const { KeyMarker: keyMarker, VersionIdMarker: id } = input;
  if (id === undefined || id === "") return undefined;
  if (!keyMarker)
    throw invalidArgument(
      "A version-id marker cannot be specified without a key marker.",
      "version-id-marker",
      id,
    );
  const key = Buffer.from(keyMarker);
  if (id !== NULL_VERSION) {
    const seq = seqOfVersionId(id);
    if (seq === undefined) throw invalidArgument("Invalid version id specified", "version-id-marker", id);
    return { after: { object_key: key, seq } };
  }
  const row = await headOfVersion(s3.database, bucket.name, key, NULL_VERSION);
  // The null version's id does not say its place; without it the key is told again from its newest version.
  return row ? { after: row } : { from: key };
}

function nextMarkers(
  last: { readonly row: ListedVersion } | { readonly prefix: Buffer } | undefined,
  encode: (text: string) => string,
) {
  if (!last) return {};
  if ("prefix" in last) return { NextKeyMarker: encode(last.prefix.toString()) };
  return { NextKeyMarker: encode(last.row.object_key.toString()), NextVersionIdMarker: last.row.version_id };
}
