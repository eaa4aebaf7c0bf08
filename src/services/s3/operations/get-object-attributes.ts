/** GetObjectAttributes: the parts of an object's metadata that were asked for, and nothing else. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, keyBytes } from "../access.ts";
import { checksumMember } from "../checksum/algorithms.ts";
import { checksumOutput } from "../checksum/stored.ts";
import type { S3 } from "../deps.ts";
import { invalidArgument } from "../errors.ts";
import { findObject, shownVersionId } from "../find-object.ts";
import { storageClassOf } from "../metadata.ts";
import { pageSize } from "../listing/page-size.ts";
import { refuseUnsupported } from "../refusals.ts";
import type { ObjectRow } from "../rows.ts";
import { partsAfter } from "../store-uploads.ts";
import type { Client } from "./client.ts";

const ATTRIBUTES = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"] as const;

export async function getObjectAttributes(
  s3: S3,
  input: Input<Client, "GetObjectAttributes">,
  context: RequestContext,
): Promise<Output<Client, "GetObjectAttributes">> {
  refuseUnsupported(input);
  const asked = readAttributes(input.ObjectAttributes ?? []);
  const key = keyBytes(input.Key);
  const bucket = await bucketFor(s3.database, input, context);
  const row = await findObject(s3.database, bucket, key, input.VersionId, context);
  const { checksum_algorithm: algorithm, checksum_type: type, checksum: value } = row;
  return {
    LastModified: new Date(row.modified_at),
    VersionId: shownVersionId(bucket, row),
    ...(asked.has("ETag") ? { ETag: row.etag } : {}),
    ...(asked.has("Checksum") && algorithm && type
      ? { Checksum: checksumOutput({ algorithm, type, value }) }
      : {}),
    ...(asked.has("ObjectParts") && row.parts > 0 ? { ObjectParts: await parts(s3, row, input) } : {}),
    ...(asked.has("StorageClass") ? { StorageClass: storageClassOf(row.headers) } : {}),
    ...(asked.has("ObjectSize") ? { ObjectSize: row.size } : {}),
  };
}

function readAttributes(names: readonly string[]): Set<string> {
  const asked = names.flatMap((name) => name.split(",").map((one) => one.trim()));
  const unknown = asked.find((name) => !(ATTRIBUTES as readonly string[]).includes(name));
  if (unknown !== undefined || asked.length === 0)
    throw invalidArgument("Invalid attribute name specified.", "x-amz-object-attributes", unknown ?? null);
  return new Set(asked);
}

/** Parts are told one by one only where each has a checksum that a reader can use: composite ones. */
async function parts(s3: S3, row: ObjectRow, input: Input<Client, "GetObjectAttributes">) {
  const total = { TotalPartsCount: row.parts };
  if (row.checksum_algorithm === "" || row.checksum_type !== "COMPOSITE") return total;
  const member = checksumMember(row.checksum_algorithm);
  const most = pageSize(input.MaxParts, "max-parts");
  const marker = Number(input.PartNumberMarker ?? 0);
  const rows = most === 0 ? [] : await partsAfter(s3.database, row.upload_id ?? "", marker, most + 1);
  const page = rows.slice(0, most);
  return {
    ...total,
    PartNumberMarker: String(marker),
    NextPartNumberMarker: String(page.at(-1)?.part_number ?? 0),
    MaxParts: most,
    IsTruncated: rows.length > most,
    Parts: page.map((part) => ({ PartNumber: part.part_number, Size: part.size, [member]: part.checksum })),
  };
}
