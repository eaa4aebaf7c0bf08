/** Images of a repository: put with what they name, found by tag or digest, and removed. */
import { AwsError } from "../../aws/errors.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { Ecr } from "./deps.ts";
import { invalidParameter, noSuchImage, noSuchLayers } from "./errors.ts";
import { tellImageAction } from "./image-events.ts";
import { digestOf } from "./layer-files.ts";
import { IMAGES_MAX, PULL_RECORD_MS, TAGS_PER_IMAGE_MAX, UNUSED_LAYER_MS } from "./limits.ts";
import type { Manifest } from "./manifest.ts";
import { isImmutable } from "./mutability.ts";
import type { RepositoryRow } from "./store.ts";
import * as images from "./store-images.ts";
import type { ImageRow } from "./store-images.ts";
import { getLayer, setFreeAt } from "./store-layers.ts";
import { requireStill } from "./uploads.ts";

export interface ImageId {
  readonly imageDigest?: string | undefined;
  readonly imageTag?: string | undefined;
}

export interface NewImage {
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  readonly tag: string | undefined;
  /** The digest that the caller expects. */
  readonly digest: string | undefined;
}

/** What putting an image has changed. */
export interface PutImage {
  readonly digest: string;
  /** False where the image was there, with this tag. */
  readonly hasChanged: boolean;
}

/** Puts an image and moves its tag to it, in one. @throws AwsError where something it names is not there, or the tag may not move. */
export async function putImage(ecr: Ecr, repository: RepositoryRow, image: NewImage): Promise<PutImage> {
  const digest = digestOf(image.bytes);
  if (image.digest !== undefined && image.digest !== digest)
    throw new AwsError(
      "ImageDigestDoesNotMatchException",
      `The specified image digest '${image.digest}' does not match the digest of the manifest, '${digest}'`,
    );
  return ecr.database.tx(async (tx) => {
    const now = await requireStill(tx, repository);
    const isNew = (await images.getImage(tx, now.repository_id, digest)) === undefined;
    if (isNew) await insert(ecr, tx, now, digest, image);
    const isTagged = image.tag !== undefined && (await moveTag(tx, now, image.tag, digest));
    const hasChanged = isNew || isTagged;
    if (hasChanged) await tellImageAction(ecr, tx, now, "PUSH", digest, image.tag);
    return { digest, hasChanged };
  });
}

async function insert(
  ecr: Ecr,
  tx: Transaction,
  repository: RepositoryRow,
  digest: string,
  { bytes, manifest }: NewImage,
): Promise<void> {
  const id = repository.repository_id;
  if ((await images.countImages(tx, id)) >= IMAGES_MAX)
    throw new AwsError("LimitExceededException", `A repository has at most ${IMAGES_MAX} images`);
  const imageBytes = await bytesOf(tx, repository, manifest);
  const row = {
    digest,
    media_type: manifest.mediaType,
    artifact_type: manifest.artifactType ?? null,
    subject: manifest.subject ?? null,
    annotations: manifest.annotations ? JSON.stringify(manifest.annotations) : null,
    manifest_bytes: bytes.byteLength,
    image_bytes: imageBytes,
    pushed_at: ecr.clock.now(),
    pulled_at: null,
  };
  await images.insertImage(tx, id, row, bytes);
  for (const layer of manifest.layers) {
    await images.insertReference(tx, id, digest, { digest: layer.digest, media_type: layer.mediaType });
    await setFreeAt(tx, id, layer.digest, null);
  }
  for (const child of manifest.manifests)
    await images.insertReference(tx, id, digest, { digest: child.digest, media_type: child.mediaType });
}

/** The image's size. @throws AwsError naming what the manifest names and the repository has not. */
async function bytesOf(tx: Transaction, repository: RepositoryRow, manifest: Manifest): Promise<number> {
  const id = repository.repository_id;
  const layers = new Map<string, number>();
  const missing: string[] = [];
  for (const { digest } of manifest.layers) {
    const layer = await getLayer(tx, id, digest);
    if (layer) layers.set(digest, layer.bytes);
    else missing.push(digest);
  }
  if (missing.length > 0) throw noSuchLayers(repository, missing);
  const sizes: number[] = [];
  for (const { digest } of manifest.manifests) {
    const child = await images.getImage(tx, id, digest);
    if (child) sizes.push(child.image_bytes);
    else missing.push(digest);
  }
  if (missing.length > 0)
    throw new AwsError(
      "ReferencedImagesNotFoundException",
      `Images with digests '[${missing.join(", ")}]' required for pushing image into repository with name '${repository.name}' in the registry with id '${repository.account}' do not exist`,
    );
  return Math.max(
    [...layers.values()].reduce((sum, bytes) => sum + bytes, 0),
    ...sizes,
  );
}

/** Answers whether the tag was elsewhere, or nowhere. */
async function moveTag(
  tx: Transaction,
  repository: RepositoryRow,
  tag: string,
  digest: string,
): Promise<boolean> {
  const id = repository.repository_id;
  const current = await images.digestOfTag(tx, id, tag);
  if (current === digest) return false;
  const exclusions = JSON.parse(repository.exclusions) as string[];
  if (current !== undefined && isImmutable(repository.mutability, exclusions, tag))
    throw new AwsError(
      "ImageTagAlreadyExistsException",
      `The image tag '${tag}' already exists in the '${repository.name}' repository and cannot be overwritten because the tag is immutable.`,
    );
  if ((await images.tagsOfImage(tx, id, digest)).length >= TAGS_PER_IMAGE_MAX)
    throw new AwsError("LimitExceededException", `An image has at most ${TAGS_PER_IMAGE_MAX} tags`);
  await images.putTag(tx, id, tag, digest);
  return true;
}

/** The image that a tag or a digest names, or both together; undefined where there is none. */
export async function findImage(
  reader: Reader,
  repositoryId: number,
  { imageDigest, imageTag }: ImageId,
): Promise<ImageRow | undefined> {
  const digest =
    imageTag === undefined ? imageDigest : await images.digestOfTag(reader, repositoryId, imageTag);
  if (digest === undefined || (imageDigest !== undefined && imageDigest !== digest)) return undefined;
  return images.getImage(reader, repositoryId, digest);
}

/** @throws AwsError ImageNotFoundException; InvalidParameterException for an id that names nothing. */
export async function requireImage(
  reader: Reader,
  repository: RepositoryRow,
  id: ImageId,
): Promise<ImageRow> {
  if (id.imageDigest === undefined && id.imageTag === undefined)
    throw invalidParameter("imageId", "both tag and digest cannot be null");
  const image = await findImage(reader, repository.repository_id, id);
  if (!image) throw noSuchImage(repository, id);
  return image;
}

/** Notes that an image was pulled; not more often than the API tells it. */
export async function recordPull(ecr: Ecr, repositoryId: number, image: ImageRow): Promise<void> {
  const now = ecr.clock.now();
  if (image.pulled_at !== null && image.pulled_at > now - PULL_RECORD_MS) return;
  await ecr.database.tx((tx) => images.setPulled(tx, repositoryId, image.digest, now));
}

/** Removes an image with its tags; its layers go later, unless another image names them. */
export async function removeImage(
  tx: Transaction,
  repositoryId: number,
  digest: string,
  now: number,
): Promise<void> {
  const named = await images.referencesOf(tx, repositoryId, digest);
  await images.deleteImage(tx, repositoryId, digest);
  for (const one of named)
    if (!(await images.referrerTo(tx, repositoryId, one.digest)))
      await setFreeAt(tx, repositoryId, one.digest, now + UNUSED_LAYER_MS);
}
