/** PutObjectTagging, GetObjectTagging and DeleteObjectTagging, of the current version or a named one. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, keyBytes } from "../access.ts";
import type { S3 } from "../deps.ts";
import { findObject, shownVersionId } from "../find-object.ts";
import { notify } from "../notification/send.ts";
import { sequencer } from "../sequence.ts";
import { setObjectTags } from "../store-objects.ts";
import { readTagSet, storedTags, tagSetOutput } from "../tags.ts";
import type { Client } from "./client.ts";

export async function putObjectTagging(
  s3: S3,
  input: Input<Client, "PutObjectTagging">,
  context: RequestContext,
): Promise<Output<Client, "PutObjectTagging">> {
  const tags = storedTags(readTagSet(input.Tagging?.TagSet, "object"));
  return changeTags(s3, input, tags, "Put", context);
}

export async function deleteObjectTagging(
  s3: S3,
  input: Input<Client, "DeleteObjectTagging">,
  context: RequestContext,
): Promise<Output<Client, "DeleteObjectTagging">> {
  return changeTags(s3, input, null, "Delete", context);
}

export async function getObjectTagging(
  s3: S3,
  input: Input<Client, "GetObjectTagging">,
  context: RequestContext,
): Promise<Output<Client, "GetObjectTagging">> {
  const bucket = await bucketFor(s3.database, input, context);
  const row = await findObject(s3.database, bucket, keyBytes(input.Key), input.VersionId, context);
  return { TagSet: tagSetOutput(row.tags), VersionId: shownVersionId(bucket, row) };
}

async function changeTags(
  s3: S3,
  input: Input<Client, "DeleteObjectTagging">,
  tags: string | null,
  event: "Put" | "Delete",
  context: RequestContext,
): Promise<{ VersionId: string | undefined }> {
  const key = keyBytes(input.Key);
  return s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    const row = await findObject(tx, bucket, key, input.VersionId, context);
    await setObjectTags(tx, bucket.name, row, tags);
    const versionId = shownVersionId(bucket, row);
    const change = {
      name: `ObjectTagging:${event}`,
      key: key.toString(),
      etag: row.etag,
      versionId,
      sequencer: sequencer(s3.sequence.next(row.seq)),
    };
    await notify(s3, tx, bucket, change, context);
    return { VersionId: versionId };
  });
}
