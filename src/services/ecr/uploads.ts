/** Uploads of layers: begun, grown part by part, and completed once what came is what its digest says. */
import { AwsError } from "../../aws/errors.ts";
import type { Transaction } from "../../store/database.ts";
import type { Ecr } from "./deps.ts";
import { invalidParameter, noSuchRepository, noSuchUpload } from "./errors.ts";
import { LayerTooLarge } from "./layer-files.ts";
import type { Received } from "./layer-files.ts";
import { CHUNKS_MAX, LAYER_BYTES_MAX, NEW_LAYER_MS, UNUSED_LAYER_MS, UPLOADS_MAX } from "./limits.ts";
import { DIGEST } from "./names.ts";
import { getRepositoryById } from "./store.ts";
import type { RepositoryRow } from "./store.ts";
import { getLayer, putLayer, setFreeAt } from "./store-layers.ts";
import type { LayerRow } from "./store-layers.ts";
import {
  appendPart,
  countParts,
  countUploads,
  deleteUpload,
  getUpload,
  insertUpload,
  listParts,
} from "./store-uploads.ts";
import type { PartRow, UploadRow } from "./store-uploads.ts";

/** What came does not begin where the upload ends. */
export class PartOutOfOrder extends Error {
  /** Bytes that have come in order. */
  readonly have: number;

  constructor(have: number) {
    super(`the upload has ${have} bytes`);
    this.have = have;
  }
}

/** Answers the upload's id. */
export async function beginUpload(ecr: Ecr, repository: RepositoryRow): Promise<string> {
  const uploadId = ecr.ids.uuid();
  await ecr.database.tx(async (tx) => {
    await requireStill(tx, repository);
    if ((await countUploads(tx, repository.repository_id)) >= UPLOADS_MAX)
      throw new AwsError(
        "LimitExceededException",
        `At most ${UPLOADS_MAX} uploads to a repository are under way`,
      );
    await insertUpload(tx, {
      upload_id: uploadId,
      repository_id: repository.repository_id,
      bytes: 0,
      used_at: ecr.clock.now(),
    });
  });
  return uploadId;
}

/** @throws AwsError UploadNotFoundException */
export async function requireUpload(
  ecr: Ecr,
  repository: RepositoryRow,
  uploadId: string,
): Promise<UploadRow> {
  const upload = await getUpload(ecr.database, repository.repository_id, uploadId);
  if (!upload) throw noSuchUpload(repository, uploadId);
  return upload;
}

/**
 * Adds what comes to an upload, durably, and answers how much it then has. What breaks off leaves the upload as it was.
 * @param startAt Where the caller says that it begins; undefined for at the end.
 * @throws PartOutOfOrder; AwsError
 */
export async function appendToUpload(
  ecr: Ecr,
  repository: RepositoryRow,
  uploadId: string,
  content: AsyncIterable<Uint8Array>,
  startAt?: number,
): Promise<number> {
  const upload = await requireUpload(ecr, repository, uploadId);
  if (startAt !== undefined && startAt !== upload.bytes) throw new PartOutOfOrder(upload.bytes);
  if ((await countParts(ecr.database, uploadId)) >= CHUNKS_MAX)
    throw new AwsError("LimitExceededException", `A layer comes in at most ${CHUNKS_MAX} pieces`);
  const received = await receive(ecr, content, LAYER_BYTES_MAX - upload.bytes);
  if (received.bytes === 0) {
    ecr.files.discard([received.blobName]);
    return upload.bytes;
  }
  const part = {
    start_at: upload.bytes,
    bytes: received.bytes,
    sha256: received.sha256,
    blob_name: received.blobName,
  };
  const isNext = await ecr.database.tx((tx) => appendPart(tx, uploadId, part, ecr.clock.now()));
  if (!isNext) {
    ecr.files.discard([received.blobName]);
    throw new PartOutOfOrder((await requireUpload(ecr, repository, uploadId)).bytes);
  }
  return upload.bytes + received.bytes;
}

interface CompleteOptions {
  /** What has to hold of the parts. @throws AwsError */
  readonly check?: (parts: readonly PartRow[]) => void;
}

/** Makes an upload the layer that it should be, and forgets the upload. @throws AwsError InvalidLayerException for another content. */
export async function completeUpload(
  ecr: Ecr,
  repository: RepositoryRow,
  uploadId: string,
  digest: string,
  { check }: CompleteOptions = {},
): Promise<void> {
  checkDigest(digest);
  await requireUpload(ecr, repository, uploadId);
  const parts = await listParts(ecr.database, uploadId);
  check?.(parts);
  const whole = await wholeOf(ecr, parts);
  const partNames = parts.map(({ blob_name }) => blob_name);
  const isOwnFile = !partNames.includes(whole.blobName);
  if (digest !== `sha256:${whole.sha256}`) {
    if (isOwnFile) ecr.files.discard([whole.blobName]);
    throw wrongDigest(digest, whole);
  }
  let isTaken = false;
  try {
    isTaken = await ecr.database.tx(async (tx) => {
      if (!(await deleteUpload(tx, uploadId))) throw noSuchUpload(repository, uploadId);
      return keep(ecr, tx, repository, whole);
    });
  } catch (error) {
    if (isOwnFile) ecr.files.discard([whole.blobName]);
    throw error;
  }
  ecr.files.discard([...partNames, whole.blobName].filter((name) => !isTaken || name !== whole.blobName));
}

/** Stores a layer that comes in one. @throws AwsError InvalidLayerException for another content than its digest says. */
export async function storeLayer(
  ecr: Ecr,
  repository: RepositoryRow,
  content: AsyncIterable<Uint8Array>,
  digest: string,
): Promise<void> {
  checkDigest(digest);
  const received = await receive(ecr, content, LAYER_BYTES_MAX);
  let isTaken = false;
  try {
    if (digest !== `sha256:${received.sha256}`) throw wrongDigest(digest, received);
    isTaken = await ecr.database.tx((tx) => keep(ecr, tx, repository, received));
  } finally {
    if (!isTaken) ecr.files.discard([received.blobName]);
  }
}

/** Forgets an upload and what came of it. @throws AwsError UploadNotFoundException */
export async function cancelUpload(ecr: Ecr, repository: RepositoryRow, uploadId: string): Promise<void> {
  await requireUpload(ecr, repository, uploadId);
  await dropUpload(ecr, uploadId);
}

/** Forgets an upload and what came of it, where there is one. */
export async function dropUpload(ecr: Pick<Ecr, "database" | "files">, uploadId: string): Promise<void> {
  const parts = await ecr.database.tx(async (tx) => {
    const had = await listParts(tx, uploadId);
    await deleteUpload(tx, uploadId);
    return had;
  });
  ecr.files.discard(parts.map(({ blob_name }) => blob_name));
}

/**
 * A layer that the repository has, for who asks whether it has to be pushed: told that it is there, it stays for long enough to be named by
 * the manifest that comes next.
 */
export async function keptLayer(
  ecr: Ecr,
  repositoryId: number,
  digest: string,
): Promise<LayerRow | undefined> {
  const layer = await getLayer(ecr.database, repositoryId, digest);
  const now = ecr.clock.now();
  if (!layer || layer.free_at === null || layer.free_at >= now + UNUSED_LAYER_MS / 2) return layer;
  return ecr.database.tx(async (tx) => {
    const still = await getLayer(tx, repositoryId, digest);
    if (still && still.free_at !== null) await setFreeAt(tx, repositoryId, digest, now + UNUSED_LAYER_MS);
    return still;
  });
}

/** A deleted repository takes nothing more. @throws AwsError RepositoryNotFoundException */
export async function requireStill(tx: Transaction, repository: RepositoryRow): Promise<RepositoryRow> {
  const still = await getRepositoryById(tx, repository.repository_id);
  if (!still) throw noSuchRepository(repository);
  return still;
}

/** Answers whether the file is now the layer's. */
async function keep(
  ecr: Ecr,
  tx: Transaction,
  repository: RepositoryRow,
  { blobName, bytes, sha256 }: Received,
): Promise<boolean> {
  await requireStill(tx, repository);
  const layer = { digest: `sha256:${sha256}`, bytes, blob_name: blobName };
  return putLayer(tx, repository.repository_id, layer, ecr.clock.now() + NEW_LAYER_MS);
}

/** Nearly every upload has one part, whose file is the layer's then. */
async function wholeOf(ecr: Ecr, parts: readonly PartRow[]): Promise<Received> {
  const [first, ...more] = parts;
  if (!first) return ecr.files.receive(nothing(), 0);
  if (more.length > 0) return ecr.files.join(parts.map(({ blob_name }) => blob_name));
  return { blobName: first.blob_name, bytes: first.bytes, sha256: first.sha256 };
}

async function receive(ecr: Ecr, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Received> {
  try {
    return await ecr.files.receive(content, bytesMax);
  } catch (error) {
    if (error instanceof LayerTooLarge) throw tooLarge();
    throw error;
  }
}

/** A layer beyond what ECR takes. */
export function tooLarge(): AwsError {
  return new AwsError("InvalidLayerException", `A layer has at most ${LAYER_BYTES_MAX} bytes`, {}, 413);
}

function wrongDigest(digest: string, { sha256, bytes }: Received): AwsError {
  return new AwsError(
    "InvalidLayerException",
    `The layer's digest is '${digest}', and what came (${bytes} bytes) has the digest 'sha256:${sha256}'`,
  );
}

function checkDigest(digest: string): void {
  if (!DIGEST.test(digest))
    throw invalidParameter("layerDigests", `a digest is sha256: and 64 hexadecimal digits, not ${digest}`);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
