/** PutImage: an image's manifest, and the tag that then names it. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Ecr } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { putImage as put } from "../images.ts";
import { repositoryFor } from "../lookup.ts";
import { ManifestFault, readManifest } from "../manifest.ts";
import type { Manifest } from "../manifest.ts";
import { TAG } from "../names.ts";

export async function putImage(
  ecr: Ecr,
  input: Input<Client, "PutImage">,
  context: RequestContext,
): Promise<Output<Client, "PutImage">> {
  const repository = await repositoryFor(ecr, input, context);
  const { imageManifest = "", imageTag } = input;
  if (imageTag !== undefined && !TAG.test(imageTag))
    throw invalidParameter("imageTag", `must satisfy regular expression '${TAG.source}'`);
  const bytes = Buffer.from(imageManifest);
  const manifest = read(bytes, input.imageManifestMediaType);
  const { digest, hasChanged } = await put(ecr, repository, {
    bytes,
    manifest,
    tag: imageTag,
    digest: input.imageDigest,
  });
  if (!hasChanged)
    throw new AwsError(
      "ImageAlreadyExistsException",
      `Image with digest '${digest}' and tag '${imageTag ?? null}' already exists in the repository with name '${repository.name}' in registry with id '${repository.account}'`,
    );
  return {
    image: {
      registryId: repository.account,
      repositoryName: repository.name,
      imageId: { imageDigest: digest, ...(imageTag !== undefined && { imageTag }) },
      imageManifest,
      imageManifestMediaType: manifest.mediaType,
    },
  };
}

function read(bytes: Buffer, mediaType: string | undefined): Manifest {
  try {
    return readManifest(bytes, mediaType);
  } catch (error) {
    if (error instanceof ManifestFault) throw invalidParameter("ImageManifest", error.message);
    throw error;
  }
}
