/** CopyObject: reads the source through a new digest into content of the copy's own. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, keyBytes } from "../access.ts";
import { copiedTags } from "../authorization.ts";
import { DIGESTS_REFUSED, isDigestName } from "../../../kit/digest.ts";
import { DEFAULT_ALGORITHM } from "../checksum/algorithms.ts";
import type { ChecksumAlgorithm } from "../checksum/algorithms.ts";
import { checksumOutput } from "../checksum/stored.ts";
import { checkWriteHeaders } from "../conditions.ts";
import { checkCopySize, findSource } from "../copy-source.ts";
import type { FoundSource } from "../copy-source.ts";
import type { S3 } from "../deps.ts";
import { encryptionOutput, newSealing } from "../encryption/requested.ts";
import { invalidArgument, invalidRequest } from "../errors.ts";
import { shownVersionId } from "../find-object.ts";
import { copiedHeaders, readHeaders, readStorageClass } from "../metadata.ts";
import { askedLock } from "../object-lock/lock.ts";
import { putVersion } from "../put-version.ts";
import { receiveCopy } from "../receive-copy.ts";
import { refuseUnsupported } from "../refusals.ts";
import type { ObjectRow } from "../rows.ts";
import { parseTags, readTagHeader, storedTags } from "../tags.ts";
import { notImplemented } from "../../../aws/errors.ts";
import type { Client } from "./client.ts";

type CopyInput = Input<Client, "CopyObject">;

export async function copyObject(
  s3: S3,
  input: CopyInput,
  context: RequestContext,
): Promise<Output<Client, "CopyObject">> {
  refuseUnsupported(input);
  readStorageClass(input.StorageClass);
  checkDirectives(input);
  const key = keyBytes(input.Key);
  const lock = askedLock(input, s3.clock.now());
  const conditions = { ifMatch: input.IfMatch, ifNoneMatch: input.IfNoneMatch };
  checkWriteHeaders(conditions);
  const target = await bucketFor(s3.database, input, context);
  const found = await findSource(s3.database, input, context);
  refuseSelfCopy(input, found);
  checkCopySize(found.row.size);
  await authorizeTags(input, target.account, found, context);

  const sealing = newSealing(s3, target, input.ServerSideEncryption);
  const { row, received, algorithm } = await receiveCopy(
    s3,
    () => findSource(s3.database, input, context),
    (source) => copyAlgorithm(input.ChecksumAlgorithm, source.row),
    () => undefined,
    { inline: true, key: sealing?.key },
  );
  const checksum = { algorithm, type: "FULL_OBJECT", value: received.checksum.toString("base64") } as const;
  const content = {
    ...received,
    etag: received.md5.toString("hex"),
    checksum,
    parts: 0,
    uploadId: null,
    headers:
      input.MetadataDirective === "REPLACE"
        ? JSON.stringify(readHeaders(input))
        : copiedHeaders(row.headers, input),
    lock,
    encryption: sealing?.stored ?? null,
    tags: input.TaggingDirective === "REPLACE" ? storedTags(readTagHeader(input.Tagging)) : row.tags,
  };
  const written = await putVersion(
    s3,
    { input, key, content, conditions, event: "ObjectCreated:Copy" },
    context,
  );
  return {
    CopyObjectResult: {
      ETag: `"${content.etag}"`,
      LastModified: new Date(Math.floor(written.modifiedAt / 1_000) * 1_000),
      ...checksumOutput(checksum),
    },
    CopySourceVersionId: shownVersionId(found.bucket, row),
    VersionId: written.versionId,
    ...encryptionOutput(content.encryption),
    Expiration: written.Expiration,
  };
}

/** @throws AccessDenied where tags go along that the caller may not read there or write here */
async function authorizeTags(
  input: CopyInput,
  owner: string,
  { source, bucket, row }: FoundSource,
  context: RequestContext,
): Promise<void> {
  const { authorize } = context;
  const tags = parseTags(row.tags);
  if (!authorize || input.TaggingDirective === "REPLACE" || tags.length === 0) return;
  const from = {
    Bucket: source.bucket,
    Key: source.key,
    VersionId: source.versionId,
    owner: bucket.account,
  };
  for (const requirement of copiedTags(from, { ...input, owner }, tags, context))
    await authorize(requirement);
}

function checkDirectives(input: CopyInput): void {
  const { MetadataDirective: metadata, TaggingDirective: tagging } = input;
  if (metadata !== undefined && metadata !== "COPY" && metadata !== "REPLACE")
    throw invalidArgument("Unknown metadata directive.", "x-amz-metadata-directive", metadata);
  if (tagging !== undefined && tagging !== "COPY" && tagging !== "REPLACE")
    throw invalidArgument("Unknown tagging directive.", "x-amz-tagging-directive", tagging);
}

function refuseSelfCopy(input: CopyInput, { source }: FoundSource): void {
  const same = source.bucket === input.Bucket && source.key === input.Key && source.versionId === undefined;
  const changes = [input.StorageClass, input.WebsiteRedirectLocation, input.ServerSideEncryption].some(
    (one) => one !== undefined,
  );
  if (!same || input.MetadataDirective === "REPLACE" || changes) return;
  throw invalidRequest(
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

/** The one asked for, else the source's. @throws InvalidRequest, NotImplemented */
function copyAlgorithm(asked: string | undefined, source: ObjectRow): ChecksumAlgorithm {
  if (asked === undefined) return source.checksum_algorithm || DEFAULT_ALGORITHM;
  const name = asked.toUpperCase();
  if (DIGESTS_REFUSED.includes(name)) throw notImplemented(`the checksum algorithm ${name}`);
  if (!isDigestName(name))
    throw invalidRequest(
      "Checksum algorithm provided is unsupported. Please try again with any of the valid types",
    );
  return name;
}
