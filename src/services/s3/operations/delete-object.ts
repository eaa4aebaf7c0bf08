/** DeleteObject: removes the key, puts a delete marker, or removes one version for good. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, keyBytes } from "../access.ts";
import type { S3 } from "../deps.ts";
import { headerNotImplemented } from "../errors.ts";
import { refuseUnsupported } from "../refusals.ts";
import { removeWithEvent } from "../remove-object.ts";
import { checkVersionId } from "../versions.ts";
import type { Client } from "./client.ts";

export async function deleteObject(
  s3: S3,
  input: Input<Client, "DeleteObject">,
  context: RequestContext,
): Promise<Output<Client, "DeleteObject">> {
  refuseUnsupported(input);
  if (input.IfMatchLastModifiedTime !== undefined)
    throw headerNotImplemented("x-amz-if-match-last-modified-time");
  if (input.IfMatchSize !== undefined) throw headerNotImplemented("x-amz-if-match-size");
  const key = keyBytes(input.Key);
  const versionId = checkVersionId(input.VersionId);
  const removed = await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    const bypass = input.BypassGovernanceRetention === true;
    return removeWithEvent(s3, tx, bucket, { key, versionId, ifMatch: input.IfMatch, bypass }, context);
  });
  s3.content.discard(removed.garbage);
  return {
    ...(removed.deleteMarker ? { DeleteMarker: true } : {}),
    ...(removed.versionId === undefined ? {} : { VersionId: removed.versionId }),
  };
}
