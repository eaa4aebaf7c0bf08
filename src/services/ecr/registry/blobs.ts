/** Layers of the registry: read by digest, and uploaded whole, in chunks, or by mounting what another repository has. */
import type { ByteRange } from "../../../store/blobs.ts";
import { BlobNotFound } from "../../../store/blobs.ts";
import { headerText } from "../../../aws/http/wire-request.ts";
import { LAYER_BYTES_MAX, NEW_LAYER_MS } from "../limits.ts";
import { DIGEST } from "../names.ts";
import { mayMount } from "../operations/registry.ts";
import { getRepository } from "../store.ts";
import type { RepositoryRow } from "../store.ts";
import { getLayer, linkLayer, repositoriesWithLayer } from "../store-layers.ts";
import {
  PartOutOfOrder,
  appendToUpload,
  beginUpload,
  cancelUpload,
  completeUpload,
  keptLayer,
  requireStill,
  requireUpload,
  storeLayer,
  tooLarge,
} from "../uploads.ts";
import { RegistryError, empty } from "./answer.ts";
import type { RegistryAnswer } from "./answer.ts";
import { permit, repositoryOf } from "./call.ts";
import type { RegistryCall } from "./call.ts";
import { sendLayer } from "./send-layer.ts";

/** GET and HEAD of a layer; undefined once it is sent. */
export async function readBlob(
  call: RegistryCall,
  name: string,
  digest: string,
): Promise<RegistryAnswer | undefined> {
  const isHead = call.request.method === "HEAD";
  const repository = isHead
    ? await repositoryOf(call, name, "BatchCheckLayerAvailability", "GetDownloadUrlForLayer")
    : await repositoryOf(call, name, "GetDownloadUrlForLayer");
  checkDigest(digest);
  const unknown = () =>
    new RegistryError("BLOB_UNKNOWN", 404, `The repository '${name}' has no layer ${digest}`);
  const { repository_id: id } = repository;
  const layer = isHead
    ? await keptLayer(call.ecr, id, digest)
    : await getLayer(call.ecr.database, id, digest);
  if (!layer) throw unknown();
  await sendLayer(call.ecr, layer, call.incoming, call.response).catch((error: unknown) => {
    throw error instanceof BlobNotFound ? unknown() : error;
  });
  return undefined;
}

/** POST: begins an upload, mounts a layer, or takes a whole one. */
export async function postUpload(call: RegistryCall, name: string): Promise<RegistryAnswer> {
  const repository = await repositoryOf(call, name, "InitiateLayerUpload");
  const { ecr, request } = call;
  const value = (key: string) => request.query.get(key)?.[0];
  const [mount, digest] = [value("mount"), value("digest")];
  if (mount !== undefined && (await mounts(call, repository, mount, value("from"))))
    return created(name, mount);
  if (digest === undefined || mount !== undefined) {
    const uploadId = await beginUpload(ecr, repository);
    return progress(202, name, uploadId, 0);
  }
  await permit(call, repository, "UploadLayerPart");
  await permit(call, repository, "CompleteLayerUpload");
  checkDigest(digest);
  checkLength(call);
  await storeLayer(ecr, repository, request.body.stream(), digest);
  return created(name, digest);
}

/** GET: how much has come. */
export async function getUpload(call: RegistryCall, name: string, uploadId: string): Promise<RegistryAnswer> {
  const repository = await repositoryOf(call, name, "UploadLayerPart");
  const { bytes } = await requireUpload(call.ecr, repository, uploadId);
  return progress(204, name, uploadId, bytes);
}

/** PATCH: a chunk, or all of it. */
export async function patchUpload(
  call: RegistryCall,
  name: string,
  uploadId: string,
): Promise<RegistryAnswer> {
  const repository = await repositoryOf(call, name, "UploadLayerPart");
  return progress(202, name, uploadId, await append(call, repository, uploadId));
}

/** PUT: the last chunk, if any, and what the whole has to be. */
export async function putUpload(call: RegistryCall, name: string, uploadId: string): Promise<RegistryAnswer> {
  const { request } = call;
  const repository = await repositoryOf(call, name, "CompleteLayerUpload");
  const digest = request.query.get("digest")?.[0] ?? "";
  checkDigest(digest);
  const hasBody =
    Number(headerText(request.headers, "content-length") ?? 0) > 0 ||
    request.headers["transfer-encoding"] !== undefined;
  if (hasBody) {
    await permit(call, repository, "UploadLayerPart");
    await append(call, repository, uploadId);
  }
  await completeUpload(call.ecr, repository, uploadId, digest);
  return created(name, digest);
}

export async function deleteUpload(
  call: RegistryCall,
  name: string,
  uploadId: string,
): Promise<RegistryAnswer> {
  const repository = await repositoryOf(call, name, "InitiateLayerUpload");
  await cancelUpload(call.ecr, repository, uploadId);
  return empty(204, {});
}

async function append(call: RegistryCall, repository: RepositoryRow, uploadId: string): Promise<number> {
  const { ecr, request } = call;
  checkLength(call);
  const given = headerText(request.headers, "content-range");
  const range = given === undefined ? undefined : readContentRange(given);
  const outOfOrder = (have: number) =>
    new RegistryError(
      "BLOB_UPLOAD_INVALID",
      416,
      `The upload has ${have} bytes, so the next chunk begins at ${have}`,
      uploadHeaders(repository.name, uploadId, have),
    );
  if (given !== undefined && !range) throw outOfOrder((await requireUpload(ecr, repository, uploadId)).bytes);
  const length = headerText(request.headers, "content-length");
  if (range && length !== undefined && range.end - range.start + 1 !== Number(length))
    throw new RegistryError("SIZE_INVALID", 400, "Content-Range and Content-Length do not say the same");
  try {
    return await appendToUpload(ecr, repository, uploadId, request.body.stream(), range?.start);
  } catch (error) {
    throw error instanceof PartOutOfOrder ? outOfOrder(error.have) : error;
  }
}

/**
 * Gives the repository a layer that another one of its registry has, where the registry has that switched on, as ECR's BLOB_MOUNTING, and
 * the caller may read there. Where not, the client uploads it.
 */
async function mounts(
  call: RegistryCall,
  repository: RepositoryRow,
  digest: string,
  from: string | undefined,
): Promise<boolean> {
  const { ecr } = call;
  const { account, region } = repository;
  if (!DIGEST.test(digest) || !(await mayMount(ecr, repository))) return false;
  const names =
    from === undefined ? await repositoriesWithLayer(ecr.database, account, region, digest) : [from];
  for (const name of names) {
    const source = await getRepository(ecr.database, { account, region, name });
    if (!source || !(await getLayer(ecr.database, source.repository_id, digest))) continue;
    const mayRead = await permit(call, source, "GetDownloadUrlForLayer").then(
      () => true,
      () => false,
    );
    if (!mayRead) continue;
    return ecr.database.tx(async (tx) => {
      await requireStill(tx, repository);
      if (!(await getLayer(tx, source.repository_id, digest))) return false;
      await linkLayer(tx, repository.repository_id, digest, ecr.clock.now() + NEW_LAYER_MS);
      return true;
    });
  }
  return false;
}

function created(name: string, digest: string): RegistryAnswer {
  return empty(201, { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest });
}

function progress(status: number, name: string, uploadId: string, bytes: number): RegistryAnswer {
  return empty(status, uploadHeaders(name, uploadId, bytes));
}

function uploadHeaders(name: string, uploadId: string, bytes: number): Record<string, string> {
  return {
    location: `/v2/${name}/blobs/uploads/${uploadId}`,
    range: `0-${Math.max(0, bytes - 1)}`,
    "docker-upload-uuid": uploadId,
  };
}

/** `0-9`, with or without its unit. */
function readContentRange(text: string): ByteRange | undefined {
  const [, start = "", end = ""] = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(text.trim()) ?? [];
  return start === "" || Number(end) < Number(start) ? undefined : { start: Number(start), end: Number(end) };
}

/** @throws AwsError for a layer that says beforehand that it is too large. */
function checkLength({ request }: RegistryCall): void {
  if (Number(headerText(request.headers, "content-length") ?? 0) > LAYER_BYTES_MAX) throw tooLarge();
}

/** @throws RegistryError */
export function checkDigest(digest: string): void {
  if (!DIGEST.test(digest))
    throw new RegistryError(
      "DIGEST_INVALID",
      400,
      `A digest is sha256: and 64 hexadecimal digits, not '${digest}'`,
    );
}
