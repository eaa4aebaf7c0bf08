/** SQL of layers: which repository has which, and in which file each lies. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";

export interface LayerRow {
  readonly digest: string;
  readonly bytes: number;
  readonly blob_name: string;
}

/** A layer as one repository has it. */
export interface OwnLayerRow extends LayerRow {
  /** When the repository loses it; null while a manifest names it. */
  readonly free_at: number | null;
}

/** Names asked about in one statement. */
export const NAMES_PER_LOOK = 50;

const MARKS = Array.from({ length: NAMES_PER_LOOK }, () => "?").join(", ");
const GET = sql(
  "ecr.layer",
  `SELECT b.digest AS digest, b.bytes AS bytes, b.blob_name AS blob_name, l.free_at AS free_at FROM ecr_layer l
     JOIN ecr_blob b ON b.digest = l.digest WHERE l.repository_id = ? AND l.digest = ?`,
);
const IN_REGISTRY = sql(
  "ecr.layer-in-registry",
  `SELECT r.name AS name FROM ecr_layer l JOIN ecr_repository r ON r.repository_id = l.repository_id
   WHERE l.digest = ? AND r.account = ? AND r.region = ? ORDER BY r.name LIMIT 20`,
);
const BLOB = sql("ecr.blob", `SELECT digest, bytes, blob_name FROM ecr_blob WHERE digest = ?`);
const INSERT_BLOB = sql(
  "ecr.insert-blob",
  `INSERT INTO ecr_blob (digest, bytes, blob_name) VALUES (?, ?, ?)`,
);
const LINK = sql(
  "ecr.link-layer",
  `INSERT INTO ecr_layer (repository_id, digest, free_at) VALUES (?, ?, ?)
   ON CONFLICT (repository_id, digest) DO UPDATE SET free_at = excluded.free_at WHERE ecr_layer.free_at IS NOT NULL`,
);
const SET_FREE_AT = sql(
  "ecr.set-free-at",
  `UPDATE ecr_layer SET free_at = ? WHERE repository_id = ? AND digest = ?`,
);
const UNLINK_ALL = sql("ecr.unlink-layers", `DELETE FROM ecr_layer WHERE repository_id = ?`);
const UNLINK_FREE = sql(
  "ecr.unlink-free-layers",
  `DELETE FROM ecr_layer WHERE free_at IS NOT NULL AND free_at <= ?`,
);
const UNUSED = sql(
  "ecr.unused-blobs",
  `SELECT digest, bytes, blob_name FROM ecr_blob b
   WHERE NOT EXISTS (SELECT 1 FROM ecr_layer l WHERE l.digest = b.digest) LIMIT ?`,
);
const DELETE_BLOB = sql("ecr.delete-blob", `DELETE FROM ecr_blob WHERE digest = ?`);
const REFERENCED = sql(
  "ecr.blobs-referenced",
  `SELECT blob_name FROM ecr_blob WHERE blob_name IN (${MARKS})
   UNION ALL SELECT blob_name FROM ecr_part WHERE blob_name IN (${MARKS})`,
);

/** A layer that the repository has. */
export function getLayer(
  reader: Reader,
  repositoryId: number,
  digest: string,
): Promise<OwnLayerRow | undefined> {
  return reader.get<OwnLayerRow>(GET, repositoryId, digest);
}

/** Names of repositories of a registry that have a layer, some of them where there are many. */
export async function repositoriesWithLayer(
  reader: Reader,
  account: string,
  region: string,
  digest: string,
): Promise<string[]> {
  return (await reader.all<{ name: string }>(IN_REGISTRY, digest, account, region)).map(({ name }) => name);
}

/**
 * Gives a repository a layer whose bytes are stored, and answers whether the named file is now the layer's: where there was one already
 * that stays, and the named one is nobody's.
 */
export async function putLayer(
  tx: Transaction,
  repositoryId: number,
  layer: LayerRow,
  freeAt: number,
): Promise<boolean> {
  const known = await tx.get<LayerRow>(BLOB, layer.digest);
  if (!known) await tx.run(INSERT_BLOB, layer.digest, layer.bytes, layer.blob_name);
  await linkLayer(tx, repositoryId, layer.digest, freeAt);
  return known === undefined;
}

/** Gives a repository a layer that is there; one that it has and no manifest names it keeps until `freeAt`. */
export async function linkLayer(
  tx: Transaction,
  repositoryId: number,
  digest: string,
  freeAt: number,
): Promise<void> {
  await tx.run(LINK, repositoryId, digest, freeAt);
}

/** When the repository loses the layer; null while a manifest names it. */
export async function setFreeAt(
  tx: Transaction,
  repositoryId: number,
  digest: string,
  freeAt: number | null,
): Promise<void> {
  await tx.run(SET_FREE_AT, freeAt, repositoryId, digest);
}

export async function unlinkAllLayers(tx: Transaction, repositoryId: number): Promise<void> {
  await tx.run(UNLINK_ALL, repositoryId);
}

/** Takes the layers from repositories whose time has come. */
export async function unlinkFreeLayers(tx: Transaction, now: number): Promise<void> {
  await tx.run(UNLINK_FREE, now);
}

/** Forgets up to `count` layers that no repository has, and answers them. */
export async function deleteUnusedBlobs(tx: Transaction, count: number): Promise<LayerRow[]> {
  const unused = await tx.all<LayerRow>(UNUSED, count);
  for (const { digest } of unused) await tx.run(DELETE_BLOB, digest);
  return unused;
}

/** Those of at most {@link NAMES_PER_LOOK} files that a row names. */
export async function referencedBlobs(reader: Reader, names: readonly string[]): Promise<Set<string>> {
  const padded = Array.from({ length: NAMES_PER_LOOK }, (_, index) => names[index] ?? "");
  const rows = await reader.all<{ blob_name: string }>(REFERENCED, ...padded, ...padded);
  return new Set(rows.map((row) => row.blob_name));
}
