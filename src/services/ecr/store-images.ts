/** SQL of images, their tags, and what their manifests name. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";

/** An image without its manifest's bytes. */
export interface ImageRow {
  readonly digest: string;
  readonly media_type: string;
  readonly artifact_type: string | null;
  /** The digest of the manifest that this one is about. */
  readonly subject: string | null;
  /** JSON. */
  readonly annotations: string | null;
  readonly manifest_bytes: number;
  /** Its layers and configuration; of an index the largest of its images. */
  readonly image_bytes: number;
  readonly pushed_at: number;
  readonly pulled_at: number | null;
}

export interface ReferenceRow {
  readonly digest: string;
  readonly media_type: string;
}

/** One tag of an image, or an image that has none. */
export interface TaggedDigest {
  readonly digest: string;
  /** Empty for none. */
  readonly tag: string;
}

export type TagStatus = "ANY" | "TAGGED" | "UNTAGGED";

const COLUMNS = `digest, media_type, artifact_type, subject, annotations, manifest_bytes, image_bytes, pushed_at, pulled_at`;

const GET = sql("ecr.image", `SELECT ${COLUMNS} FROM ecr_image WHERE repository_id = ? AND digest = ?`);
const MANIFEST = sql("ecr.manifest", `SELECT manifest FROM ecr_image WHERE repository_id = ? AND digest = ?`);
const INSERT = sql(
  "ecr.insert-image",
  `INSERT INTO ecr_image (repository_id, ${COLUMNS}, manifest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const DELETE = sql("ecr.delete-image", `DELETE FROM ecr_image WHERE repository_id = ? AND digest = ?`);
const COUNT = sql("ecr.image-count", `SELECT count(*) AS count FROM ecr_image WHERE repository_id = ?`);
const PULLED = sql(
  "ecr.image-pulled",
  `UPDATE ecr_image SET pulled_at = ? WHERE repository_id = ? AND digest = ?`,
);
const LIST = sql(
  "ecr.images",
  `SELECT ${COLUMNS} FROM ecr_image i WHERE repository_id = ? AND digest > ?
     AND (? <> 'TAGGED' OR EXISTS (SELECT 1 FROM ecr_tag t WHERE t.repository_id = i.repository_id AND t.digest = i.digest))
     AND (? <> 'UNTAGGED' OR NOT EXISTS (SELECT 1 FROM ecr_tag t WHERE t.repository_id = i.repository_id AND t.digest = i.digest))
   ORDER BY digest LIMIT ?`,
);
const ABOUT = sql(
  "ecr.images-about",
  `SELECT ${COLUMNS} FROM ecr_image WHERE repository_id = ? AND subject = ? AND digest > ? ORDER BY digest LIMIT ?`,
);
const ORPHANS = sql(
  "ecr.orphaned-artifacts",
  `SELECT digest FROM ecr_image i WHERE repository_id = ? AND subject IS NOT NULL AND pushed_at <= ?
     AND NOT EXISTS (SELECT 1 FROM ecr_image s WHERE s.repository_id = i.repository_id AND s.digest = i.subject)`,
);
const TAGGED_DIGESTS = sql(
  "ecr.tagged-digests",
  `SELECT i.digest AS digest, coalesce(t.tag, '') AS tag FROM ecr_image i
     LEFT JOIN ecr_tag t ON t.repository_id = i.repository_id AND t.digest = i.digest
   WHERE i.repository_id = ? AND (i.digest, coalesce(t.tag, '')) > (?, ?)
     AND (? <> 'TAGGED' OR t.tag IS NOT NULL) AND (? <> 'UNTAGGED' OR t.tag IS NULL)
   ORDER BY i.digest, coalesce(t.tag, '') LIMIT ?`,
);
const TAG = sql("ecr.tag", `SELECT digest FROM ecr_tag WHERE repository_id = ? AND tag = ?`);
const TAGS = sql(
  "ecr.tags-of-image",
  `SELECT tag FROM ecr_tag WHERE repository_id = ? AND digest = ? ORDER BY tag`,
);
const LIST_TAGS = sql(
  "ecr.tags",
  `SELECT tag FROM ecr_tag WHERE repository_id = ? AND tag > ? ORDER BY tag LIMIT ?`,
);
const PUT_TAG = sql(
  "ecr.put-tag",
  `INSERT INTO ecr_tag (repository_id, tag, digest) VALUES (?, ?, ?)
   ON CONFLICT (repository_id, tag) DO UPDATE SET digest = excluded.digest`,
);
const DELETE_TAG = sql("ecr.delete-tag", `DELETE FROM ecr_tag WHERE repository_id = ? AND tag = ?`);
const DELETE_TAGS = sql("ecr.delete-tags", `DELETE FROM ecr_tag WHERE repository_id = ? AND digest = ?`);
const INSERT_REFERENCE = sql(
  "ecr.insert-reference",
  `INSERT INTO ecr_reference (repository_id, image, digest, media_type) VALUES (?, ?, ?, ?)
   ON CONFLICT (repository_id, image, digest) DO NOTHING`,
);
const REFERENCES = sql(
  "ecr.references",
  `SELECT digest, media_type FROM ecr_reference WHERE repository_id = ? AND image = ?`,
);
const REFERRED = sql(
  "ecr.referred",
  `SELECT image, media_type FROM ecr_reference WHERE repository_id = ? AND digest = ? LIMIT 1`,
);
const CHILDREN = sql(
  "ecr.children",
  `SELECT DISTINCT r.digest AS digest FROM ecr_reference r
     JOIN ecr_image i ON i.repository_id = r.repository_id AND i.digest = r.digest WHERE r.repository_id = ?`,
);
const DELETE_REFERENCES = sql(
  "ecr.delete-references",
  `DELETE FROM ecr_reference WHERE repository_id = ? AND image = ?`,
);
const DELETE_ALL = ["ecr_image", "ecr_tag", "ecr_reference"].map((table) =>
  sql(`ecr.delete-all-of-${table}`, `DELETE FROM ${table} WHERE repository_id = ?`),
);

export function getImage(
  reader: Reader,
  repositoryId: number,
  digest: string,
): Promise<ImageRow | undefined> {
  return reader.get<ImageRow>(GET, repositoryId, digest);
}

/** The manifest's bytes as they were pushed. */
export async function getManifest(
  reader: Reader,
  repositoryId: number,
  digest: string,
): Promise<Buffer | undefined> {
  const row = await reader.get<{ manifest: Uint8Array }>(MANIFEST, repositoryId, digest);
  return row && Buffer.from(row.manifest);
}

export async function insertImage(
  tx: Transaction,
  repositoryId: number,
  image: ImageRow,
  manifest: Uint8Array,
): Promise<void> {
  await tx.run(
    INSERT,
    repositoryId,
    image.digest,
    image.media_type,
    image.artifact_type,
    image.subject,
    image.annotations,
    image.manifest_bytes,
    image.image_bytes,
    image.pushed_at,
    image.pulled_at,
    manifest,
  );
}

export async function countImages(reader: Reader, repositoryId: number): Promise<number> {
  return Number((await reader.get<{ count: number | string }>(COUNT, repositoryId))?.count ?? 0);
}

export async function setPulled(
  tx: Transaction,
  repositoryId: number,
  digest: string,
  at: number,
): Promise<void> {
  await tx.run(PULLED, at, repositoryId, digest);
}

/** In the order of their digests, those after `after`. */
export function listImages(
  reader: Reader,
  repositoryId: number,
  after: string,
  status: TagStatus,
  count: number,
): Promise<ImageRow[]> {
  return reader.all<ImageRow>(LIST, repositoryId, after, status, status, count);
}

/** The images that are about one, in the order of their digests. */
export function imagesAbout(
  reader: Reader,
  repositoryId: number,
  subject: string,
  after: string,
  count: number,
): Promise<ImageRow[]> {
  return reader.all<ImageRow>(ABOUT, repositoryId, subject, after, count);
}

/** The images pushed until a time that are about one which is not there. */
export async function orphanedArtifacts(
  reader: Reader,
  repositoryId: number,
  until: number,
): Promise<string[]> {
  return (await reader.all<{ digest: string }>(ORPHANS, repositoryId, until)).map(({ digest }) => digest);
}

export function listTaggedDigests(
  reader: Reader,
  repositoryId: number,
  after: TaggedDigest,
  status: TagStatus,
  count: number,
): Promise<TaggedDigest[]> {
  return reader.all<TaggedDigest>(
    TAGGED_DIGESTS,
    repositoryId,
    after.digest,
    after.tag,
    status,
    status,
    count,
  );
}

export async function digestOfTag(
  reader: Reader,
  repositoryId: number,
  tag: string,
): Promise<string | undefined> {
  return (await reader.get<{ digest: string }>(TAG, repositoryId, tag))?.digest;
}

export async function tagsOfImage(reader: Reader, repositoryId: number, digest: string): Promise<string[]> {
  return (await reader.all<{ tag: string }>(TAGS, repositoryId, digest)).map(({ tag }) => tag);
}

export async function listTags(
  reader: Reader,
  repositoryId: number,
  after: string,
  count: number,
): Promise<string[]> {
  return (await reader.all<{ tag: string }>(LIST_TAGS, repositoryId, after, count)).map(({ tag }) => tag);
}

export async function putTag(
  tx: Transaction,
  repositoryId: number,
  tag: string,
  digest: string,
): Promise<void> {
  await tx.run(PUT_TAG, repositoryId, tag, digest);
}

export async function deleteTag(tx: Transaction, repositoryId: number, tag: string): Promise<void> {
  await tx.run(DELETE_TAG, repositoryId, tag);
}

export async function insertReference(
  tx: Transaction,
  repositoryId: number,
  image: string,
  { digest, media_type }: ReferenceRow,
): Promise<void> {
  await tx.run(INSERT_REFERENCE, repositoryId, image, digest, media_type);
}

/** What a manifest names: layers, configuration, other manifests. */
export function referencesOf(reader: Reader, repositoryId: number, image: string): Promise<ReferenceRow[]> {
  return reader.all<ReferenceRow>(REFERENCES, repositoryId, image);
}

/** A manifest of the repository that names a digest, and as what. */
export function referrerTo(
  reader: Reader,
  repositoryId: number,
  digest: string,
): Promise<{ image: string; media_type: string } | undefined> {
  return reader.get<{ image: string; media_type: string }>(REFERRED, repositoryId, digest);
}

/** The images that another one of the repository names. */
export async function imagesInLists(reader: Reader, repositoryId: number): Promise<Set<string>> {
  const rows = await reader.all<{ digest: string }>(CHILDREN, repositoryId);
  return new Set(rows.map(({ digest }) => digest));
}

/** The image with its tags and references. */
export async function deleteImage(tx: Transaction, repositoryId: number, digest: string): Promise<void> {
  await tx.run(DELETE_TAGS, repositoryId, digest);
  await tx.run(DELETE_REFERENCES, repositoryId, digest);
  await tx.run(DELETE, repositoryId, digest);
}

export async function deleteAllImages(tx: Transaction, repositoryId: number): Promise<void> {
  for (const statement of DELETE_ALL) await tx.run(statement, repositoryId);
}
