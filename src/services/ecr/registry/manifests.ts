/** Manifests of the registry: pushed, pulled and deleted, by tag or digest. */
import { headerText } from "../../../aws/http/wire-request.ts";
import { findImage, putImage, recordPull } from "../images.ts";
import { MANIFEST_BYTES_MAX } from "../limits.ts";
import { ManifestFault, isImage, isList, readManifest } from "../manifest.ts";
import type { Descriptor, Manifest } from "../manifest.ts";
import { DIGEST, TAG } from "../names.ts";
import { deleteOne } from "../operations/batch-images.ts";
import type { RepositoryRow } from "../store.ts";
import { getManifest } from "../store-images.ts";
import type { ImageRow } from "../store-images.ts";
import { RegistryError, empty } from "./answer.ts";
import type { RegistryAnswer } from "./answer.ts";
import { repositoryOf } from "./call.ts";
import type { RegistryCall } from "./call.ts";

export async function putManifest(
  call: RegistryCall,
  name: string,
  reference: string,
): Promise<RegistryAnswer> {
  const repository = await repositoryOf(call, name, "PutImage");
  const isDigest = reference.includes(":");
  if (isDigest ? !DIGEST.test(reference) : !TAG.test(reference))
    throw new RegistryError(
      isDigest ? "DIGEST_INVALID" : "TAG_INVALID",
      400,
      `'${reference}' is no ${isDigest ? "digest" : "tag"}`,
    );
  const bytes = await readBody(call);
  const manifest = parse(bytes, mediaTypeOf(headerText(call.request.headers, "content-type")));
  const tag = isDigest ? undefined : reference;
  const { digest } = await putImage(call.ecr, repository, {
    bytes,
    manifest,
    tag,
    digest: isDigest ? reference : undefined,
  });
  return empty(201, {
    location: `/v2/${name}/manifests/${digest}`,
    "docker-content-digest": digest,
    ...(manifest.subject !== undefined && { "oci-subject": manifest.subject }),
  });
}

/** GET and HEAD. */
export async function readManifestOf(
  call: RegistryCall,
  name: string,
  reference: string,
): Promise<RegistryAnswer> {
  const { ecr, request } = call;
  const repository = await repositoryOf(call, name, "BatchGetImage");
  const found = await find(call, repository, reference);
  const image = (await imageForOldClients(call, repository, reference, found)) ?? found;
  const manifest = await getManifest(ecr.database, repository.repository_id, image.digest);
  if (!manifest) throw unknown(repository, reference);
  if (request.method === "GET") await recordPull(ecr, repository.repository_id, image);
  const headers = {
    "content-type": image.media_type,
    "docker-content-digest": image.digest,
    etag: `"${image.digest}"`,
  };
  return { status: 200, headers, body: manifest };
}

/** As BatchDeleteImage: a tag, and with the last one the image; or an image by its digest, with all its tags. */
export async function deleteManifest(
  call: RegistryCall,
  name: string,
  reference: string,
): Promise<RegistryAnswer> {
  const repository = await repositoryOf(call, name, "BatchDeleteImage");
  const removed = await deleteOne(call.ecr, repository, idOf(reference));
  if (Array.isArray(removed)) return empty(202, {});
  if (removed.failureCode === "ImageReferencedByManifestList")
    throw new RegistryError("DENIED", 409, removed.failureReason ?? "");
  throw unknown(repository, reference);
}

function idOf(reference: string): { imageDigest?: string; imageTag?: string } {
  return reference.includes(":") ? { imageDigest: reference } : { imageTag: reference };
}

async function find(call: RegistryCall, repository: RepositoryRow, reference: string): Promise<ImageRow> {
  const image = await findImage(call.ecr.database, repository.repository_id, idOf(reference));
  if (!image) throw unknown(repository, reference);
  return image;
}

/**
 * A client that takes images and no lists gets of a tagged list the image for Linux on x86-64, as registries have done since there are
 * lists; every other client gets what was pushed, whatever it says that it takes.
 */
async function imageForOldClients(
  { ecr, request }: RegistryCall,
  repository: RepositoryRow,
  reference: string,
  found: ImageRow,
): Promise<ImageRow | undefined> {
  const accepted = (headerText(request.headers, "accept") ?? "")
    .split(",")
    .map((one) => mediaTypeOf(one) ?? "");
  const takesImagesOnly = accepted.some(isImage) && !accepted.some((one) => isList(one) || one === "*/*");
  if (!isList(found.media_type) || reference.includes(":") || !takesImagesOnly) return undefined;
  const bytes = await getManifest(ecr.database, repository.repository_id, found.digest);
  const list = bytes && readManifest(bytes, found.media_type);
  const plain = list?.manifests.find(isForPlainLinux);
  return plain && findImage(ecr.database, repository.repository_id, { imageDigest: plain.digest });
}

function isForPlainLinux({ platform }: Descriptor): boolean {
  return platform?.os === "linux" && platform.architecture === "amd64";
}

function parse(bytes: Buffer, mediaType: string | undefined): Manifest {
  try {
    return readManifest(bytes, mediaType);
  } catch (error) {
    if (error instanceof ManifestFault) throw new RegistryError("MANIFEST_INVALID", 400, error.message);
    throw error;
  }
}

/** Without parameters; undefined for none. */
function mediaTypeOf(header: string | undefined): string | undefined {
  return header?.split(";", 1)[0]?.trim().toLowerCase() || undefined;
}

async function readBody({ request }: RegistryCall): Promise<Buffer> {
  if (Number(headerText(request.headers, "content-length") ?? 0) > MANIFEST_BYTES_MAX) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.body.stream() as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MANIFEST_BYTES_MAX) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(): RegistryError {
  return new RegistryError("SIZE_INVALID", 413, `A manifest has at most ${MANIFEST_BYTES_MAX} bytes`);
}

function unknown({ name }: RepositoryRow, reference: string): RegistryError {
  return new RegistryError("MANIFEST_UNKNOWN", 404, `The repository '${name}' has no image ${reference}`);
}
