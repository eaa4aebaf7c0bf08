/** BatchGetImage and BatchDeleteImage. */
import type { Image, ImageFailure, ImageFailureCode, ImageIdentifier } from "@aws-sdk/client-ecr";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Client, Ecr } from "../deps.ts";
import { tellImageAction } from "../image-events.ts";
import { findImage, recordPull, removeImage } from "../images.ts";
import { repositoryFor } from "../lookup.ts";
import type { RepositoryRow } from "../store.ts";
import { deleteTag, digestOfTag, getManifest, referrerTo, tagsOfImage } from "../store-images.ts";
import type { ImageRow } from "../store-images.ts";
import { requireStill } from "../uploads.ts";

const DIGEST_PATTERN = /^[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$/;

export async function batchGetImage(
  ecr: Ecr,
  input: Input<Client, "BatchGetImage">,
  context: RequestContext,
): Promise<Output<Client, "BatchGetImage">> {
  const repository = await repositoryFor(ecr, input, context);
  const { repository_id: id } = repository;
  const images: Image[] = [];
  const failures: ImageFailure[] = [];
  for (const imageId of input.imageIds ?? []) {
    const fault = faultOf(imageId);
    const found = fault ? undefined : await findImage(ecr.database, id, imageId);
    const isAccepted = found && (input.acceptedMediaTypes?.includes(found.media_type) ?? true);
    const manifest = isAccepted ? await getManifest(ecr.database, id, found.digest) : undefined;
    if (!found || !manifest) {
      failures.push(fault ?? (await notFound(ecr, id, imageId)));
      continue;
    }
    await recordPull(ecr, id, found);
    images.push({
      registryId: repository.account,
      repositoryName: repository.name,
      imageId: { imageDigest: found.digest, ...(imageId.imageTag && { imageTag: imageId.imageTag }) },
      imageManifest: manifest.toString(),
      imageManifestMediaType: found.media_type,
    });
  }
  return { images, failures };
}

export async function batchDeleteImage(
  ecr: Ecr,
  input: Input<Client, "BatchDeleteImage">,
  context: RequestContext,
): Promise<Output<Client, "BatchDeleteImage">> {
  const repository = await repositoryFor(ecr, input, context);
  const imageIds: ImageIdentifier[] = [];
  const failures: ImageFailure[] = [];
  for (const imageId of input.imageIds ?? []) {
    const removed = faultOf(imageId) ?? (await deleteOne(ecr, repository, imageId));
    if (Array.isArray(removed)) imageIds.push(...removed);
    else failures.push(removed);
  }
  return { imageIds, failures };
}

/** Removes one tag, and with the last one the image; or an image by its digest, with all its tags. */
export async function deleteOne(
  ecr: Ecr,
  repository: RepositoryRow,
  imageId: ImageIdentifier,
): Promise<ImageIdentifier[] | ImageFailure> {
  const { repository_id: id } = repository;
  return ecr.database.tx(async (tx) => {
    await requireStill(tx, repository);
    const image = await findImage(tx, id, imageId);
    if (!image) return notFound({ database: tx }, id, imageId);
    const tags = await tagsOfImage(tx, id, image.digest);
    const { imageTag } = imageId;
    if (imageTag !== undefined && tags.length > 1) {
      await deleteTag(tx, id, imageTag);
      await tellImageAction(ecr, tx, repository, "DELETE", image.digest, imageTag);
      return [{ imageDigest: image.digest, imageTag }];
    }
    const list = await listOf(tx, id, image);
    if (list !== undefined)
      return failure(
        imageId,
        "ImageReferencedByManifestList",
        `Requested image referenced by manifest list: [${list}]`,
      );
    await removeImage(tx, id, image.digest, ecr.clock.now());
    for (const tag of tags.length > 0 ? tags : [undefined])
      await tellImageAction(ecr, tx, repository, "DELETE", image.digest, tag);
    if (tags.length === 0) return [{ imageDigest: image.digest }];
    return tags.map((tag) => ({ imageDigest: image.digest, imageTag: tag }));
  });
}

async function listOf(tx: Transaction, id: number, { digest }: ImageRow): Promise<string | undefined> {
  return (await referrerTo(tx, id, digest))?.image;
}

/** What is wrong with an id in itself. */
function faultOf(imageId: ImageIdentifier): ImageFailure | undefined {
  const { imageDigest, imageTag } = imageId;
  if (imageDigest === undefined && imageTag === undefined)
    return failure(
      imageId,
      "MissingDigestAndTag",
      "Invalid request parameters: both tag and digest cannot be null",
    );
  if (imageDigest !== undefined && !DIGEST_PATTERN.test(imageDigest))
    return failure(
      imageId,
      "InvalidImageDigest",
      "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
    );
  return undefined;
}

async function notFound(
  { database }: { readonly database: Pick<Transaction, "get" | "all"> },
  id: number,
  imageId: ImageIdentifier,
): Promise<ImageFailure> {
  const { imageDigest, imageTag } = imageId;
  const isOther =
    imageDigest !== undefined &&
    imageTag !== undefined &&
    (await digestOfTag(database, id, imageTag)) !== undefined;
  return isOther
    ? failure(imageId, "ImageTagDoesNotMatchDigest", `The image tag ${imageTag} names another digest`)
    : failure(imageId, "ImageNotFound", "Requested image not found");
}

function failure(
  imageId: ImageIdentifier,
  failureCode: ImageFailureCode,
  failureReason: string,
): ImageFailure {
  return { imageId, failureCode, failureReason };
}
