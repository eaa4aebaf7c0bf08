/** Layers by the API: uploads in parts, whether layers are there, and URLs to download them. */
import type { Layer, LayerFailure } from "@aws-sdk/client-ecr";
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Ecr } from "../deps.ts";
import { downloadUrl } from "../download.ts";
import { invalidParameter, noSuchLayers } from "../errors.ts";
import { LAYER_BYTES_MAX, PARTS_MAX, PART_BYTES, PART_BYTES_MIN } from "../limits.ts";
import { repositoryFor } from "../lookup.ts";
import { DIGEST } from "../names.ts";
import { referrerTo } from "../store-images.ts";
import { getLayer } from "../store-layers.ts";
import type { PartRow } from "../store-uploads.ts";
import {
  PartOutOfOrder,
  appendToUpload,
  beginUpload,
  completeUpload,
  keptLayer,
  tooLarge,
} from "../uploads.ts";

const LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip";

export async function initiateLayerUpload(
  ecr: Ecr,
  input: Input<Client, "InitiateLayerUpload">,
  context: RequestContext,
): Promise<Output<Client, "InitiateLayerUpload">> {
  const repository = await repositoryFor(ecr, input, context);
  return { uploadId: await beginUpload(ecr, repository), partSize: PART_BYTES };
}

export async function uploadLayerPart(
  ecr: Ecr,
  input: Input<Client, "UploadLayerPart">,
  context: RequestContext,
): Promise<Output<Client, "UploadLayerPart">> {
  const repository = await repositoryFor(ecr, input, context);
  const { uploadId = "", partFirstByte = 0, partLastByte = 0, layerPartBlob = Buffer.alloc(0) } = input;
  if (partLastByte - partFirstByte + 1 !== layerPartBlob.byteLength)
    throw invalidParameter(
      "partLastByte",
      `the part has ${layerPartBlob.byteLength} bytes, and was announced as those from ${partFirstByte} to ${partLastByte}`,
    );
  if (partLastByte >= LAYER_BYTES_MAX) throw tooLarge();
  const told = { registryId: repository.account, repositoryName: repository.name, uploadId };
  try {
    const bytes = await appendToUpload(ecr, repository, uploadId, one(layerPartBlob), partFirstByte);
    return { ...told, lastByteReceived: bytes - 1 };
  } catch (error) {
    if (!(error instanceof PartOutOfOrder)) throw error;
    throw new AwsError(
      "InvalidLayerPartException",
      `The layer part's first byte is ${partFirstByte}, and that of the next part is ${error.have}`,
      { ...told, lastValidByteReceived: error.have - 1 },
    );
  }
}

export async function completeLayerUpload(
  ecr: Ecr,
  input: Input<Client, "CompleteLayerUpload">,
  context: RequestContext,
): Promise<Output<Client, "CompleteLayerUpload">> {
  const repository = await repositoryFor(ecr, input, context);
  const { uploadId = "", layerDigests = [] } = input;
  const [layerDigest = "", ...more] = layerDigests;
  if (more.length > 0) throw invalidParameter("layerDigests", "one digest is given, that of the whole layer");
  const isThere = await getLayer(ecr.database, repository.repository_id, layerDigest);
  if (isThere)
    throw new AwsError(
      "LayerAlreadyExistsException",
      `Layer with digest '${layerDigest}' already exists in the repository with name '${repository.name}' in registry with id '${repository.account}'`,
    );
  await completeUpload(ecr, repository, uploadId, layerDigest, { check: checkParts });
  return { registryId: repository.account, repositoryName: repository.name, uploadId, layerDigest };
}

export async function batchCheckLayerAvailability(
  ecr: Ecr,
  input: Input<Client, "BatchCheckLayerAvailability">,
  context: RequestContext,
): Promise<Output<Client, "BatchCheckLayerAvailability">> {
  const { repository_id: id } = await repositoryFor(ecr, input, context);
  const layers: Layer[] = [];
  const failures: LayerFailure[] = [];
  for (const layerDigest of input.layerDigests ?? []) {
    if (!DIGEST.test(layerDigest)) {
      const failureReason = "A digest is sha256: and 64 hexadecimal digits";
      failures.push({ layerDigest, failureCode: "InvalidLayerDigest", failureReason });
      continue;
    }
    const layer = await keptLayer(ecr, id, layerDigest);
    if (!layer) {
      layers.push({ layerDigest, layerAvailability: "UNAVAILABLE" });
      continue;
    }
    const mediaType = (await referrerTo(ecr.database, id, layerDigest))?.media_type ?? LAYER_TYPE;
    layers.push({ layerDigest, layerAvailability: "AVAILABLE", layerSize: layer.bytes, mediaType });
  }
  return { layers, failures };
}

export async function getDownloadUrlForLayer(
  ecr: Ecr,
  input: Input<Client, "GetDownloadUrlForLayer">,
  context: RequestContext,
): Promise<Output<Client, "GetDownloadUrlForLayer">> {
  const repository = await repositoryFor(ecr, input, context);
  const { layerDigest = "" } = input;
  if (!(await getLayer(ecr.database, repository.repository_id, layerDigest)))
    throw noSuchLayers(repository, [layerDigest]);
  return { layerDigest, downloadUrl: downloadUrl(ecr, context.endpoint, repository, layerDigest) };
}

/** @throws AwsError EmptyUploadException, LayerPartTooSmallException, InvalidLayerException */
function checkParts(parts: readonly PartRow[]): void {
  if (parts.length === 0)
    throw new AwsError("EmptyUploadException", "The specified layer upload does not contain any layer parts");
  if (parts.length > PARTS_MAX)
    throw new AwsError(
      "InvalidLayerException",
      `The layer came in ${parts.length} parts; at most ${PARTS_MAX} are allowed`,
    );
  if (parts.slice(0, -1).some(({ bytes }) => bytes < PART_BYTES_MIN))
    throw new AwsError(
      "LayerPartTooSmallException",
      `Layer parts must be at least ${PART_BYTES_MIN} bytes in size, all but the last`,
    );
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
