/** What every listing writes of a version, and how its keys are encoded. */
import { invalidArgument } from "../errors.ts";
import { storageClassOf } from "../metadata.ts";
import type { ListedVersion } from "../store-listing.ts";
import { urlEncoded } from "./keys.ts";

/** How keys, prefixes and delimiters are written. @throws InvalidArgument */
export function encoder(encodingType: string | undefined): (text: string) => string {
  if (encodingType === undefined) return (text) => text;
  if (encodingType === "url") return urlEncoded;
  throw invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", encodingType);
}

/** The members that ListObjects and ListObjectVersions have in common. */
export function listedKey(row: ListedVersion, encode: (text: string) => string) {
  return {
    Key: encode(row.object_key.toString()),
    LastModified: new Date(Math.floor(row.modified_at / 1_000) * 1_000),
    ETag: `"${row.etag}"`,
    ...(row.checksum_algorithm === "" ? {} : { ChecksumAlgorithm: [row.checksum_algorithm] }),
    ...(row.checksum_type === "" ? {} : { ChecksumType: row.checksum_type }),
    Size: row.size,
    StorageClass: storageClassOf(row.classed_headers),
  };
}
