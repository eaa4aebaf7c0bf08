/** SQL of repositories and of registries' settings. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { Registry, RepositoryId } from "./names.ts";

export interface RepositoryRow extends RepositoryId {
  readonly repository_id: number;
  readonly created_at: number;
  readonly mutability: string;
  /** JSON: patterns of tags for which it is the other way round. */
  readonly exclusions: string;
  /** JSON: `{ key: value }`. */
  readonly tags: string;
  readonly policy: string | null;
  readonly lifecycle: string | null;
  readonly evaluated_at: number | null;
  /** JSON of the last preview. */
  readonly preview: string | null;
}

const COLUMNS = `repository_id, account, region, name, created_at, mutability, exclusions, tags, policy, lifecycle, evaluated_at, preview`;

const GET = sql(
  "ecr.repository",
  `SELECT ${COLUMNS} FROM ecr_repository WHERE account = ? AND region = ? AND name = ?`,
);
const BY_ID = sql("ecr.repository-by-id", `SELECT ${COLUMNS} FROM ecr_repository WHERE repository_id = ?`);
const ANYWHERE = sql(
  "ecr.repositories-of-name",
  `SELECT ${COLUMNS} FROM ecr_repository WHERE account = ? AND name = ? ORDER BY region LIMIT 2`,
);
const LIST = sql(
  "ecr.repositories",
  `SELECT ${COLUMNS} FROM ecr_repository WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?`,
);
const WITH_LIFECYCLE = sql(
  "ecr.repositories-with-lifecycle",
  `SELECT ${COLUMNS} FROM ecr_repository WHERE lifecycle IS NOT NULL`,
);
const COUNT = sql(
  "ecr.repository-count",
  `SELECT count(*) AS count FROM ecr_repository WHERE account = ? AND region = ?`,
);
const INSERT = sql(
  "ecr.insert-repository",
  `INSERT INTO ecr_repository (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const DELETE = sql("ecr.delete-repository", `DELETE FROM ecr_repository WHERE repository_id = ?`);
const SET_MUTABILITY = sql(
  "ecr.set-mutability",
  `UPDATE ecr_repository SET mutability = ?, exclusions = ? WHERE repository_id = ?`,
);
const SET_TAGS = sql("ecr.set-tags", `UPDATE ecr_repository SET tags = ? WHERE repository_id = ?`);
const SET_POLICY = sql("ecr.set-policy", `UPDATE ecr_repository SET policy = ? WHERE repository_id = ?`);
const SET_LIFECYCLE = sql(
  "ecr.set-lifecycle",
  `UPDATE ecr_repository SET lifecycle = ?, evaluated_at = NULL WHERE repository_id = ?`,
);
const SET_EVALUATED = sql(
  "ecr.set-evaluated",
  `UPDATE ecr_repository SET evaluated_at = ? WHERE repository_id = ? AND lifecycle = ?`,
);
const SET_PREVIEW = sql("ecr.set-preview", `UPDATE ecr_repository SET preview = ? WHERE repository_id = ?`);
const SETTING = sql(
  "ecr.setting",
  `SELECT value FROM ecr_setting WHERE account = ? AND region = ? AND name = ?`,
);
const PUT_SETTING = sql(
  "ecr.put-setting",
  `INSERT INTO ecr_setting (account, region, name, value) VALUES (?, ?, ?, ?)
   ON CONFLICT (account, region, name) DO UPDATE SET value = excluded.value`,
);
const SETTLE = sql(
  "ecr.settle",
  `INSERT INTO ecr_setting (account, region, name, value) VALUES ('', '', ?, ?)
   ON CONFLICT (account, region, name) DO NOTHING`,
);

export function getRepository(
  reader: Reader,
  { account, region, name }: RepositoryId,
): Promise<RepositoryRow | undefined> {
  return reader.get<RepositoryRow>(GET, account, region, name);
}

export function getRepositoryById(reader: Reader, id: number): Promise<RepositoryRow | undefined> {
  return reader.get<RepositoryRow>(BY_ID, id);
}

/** The repositories of an account that have a name, in whichever region: at most two. */
export function repositoriesOfName(reader: Reader, account: string, name: string): Promise<RepositoryRow[]> {
  return reader.all<RepositoryRow>(ANYWHERE, account, name);
}

/** In the order of their names, those after `after`. */
export function listRepositories(
  reader: Reader,
  { account, region }: Registry,
  after: string,
  count: number,
): Promise<RepositoryRow[]> {
  return reader.all<RepositoryRow>(LIST, account, region, after, count);
}

/** Those of every account and region. */
export function repositoriesWithLifecycle(reader: Reader): Promise<RepositoryRow[]> {
  return reader.all<RepositoryRow>(WITH_LIFECYCLE);
}

export async function countRepositories(reader: Reader, { account, region }: Registry): Promise<number> {
  return Number((await reader.get<{ count: number | string }>(COUNT, account, region))?.count ?? 0);
}

export async function insertRepository(tx: Transaction, row: RepositoryRow): Promise<void> {
  await tx.run(
    INSERT,
    row.repository_id,
    row.account,
    row.region,
    row.name,
    row.created_at,
    row.mutability,
    row.exclusions,
    row.tags,
    row.policy,
    row.lifecycle,
    row.evaluated_at,
    row.preview,
  );
}

/** The repository alone; what it holds goes before. */
export async function deleteRepositoryRow(tx: Transaction, id: number): Promise<void> {
  await tx.run(DELETE, id);
}

export async function setMutability(
  tx: Transaction,
  id: number,
  mutability: string,
  exclusions: readonly string[],
): Promise<void> {
  await tx.run(SET_MUTABILITY, mutability, JSON.stringify(exclusions), id);
}

export async function setTags(
  tx: Transaction,
  id: number,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  await tx.run(SET_TAGS, JSON.stringify(tags), id);
}

export async function setPolicy(tx: Transaction, id: number, policy: string | null): Promise<void> {
  await tx.run(SET_POLICY, policy, id);
}

export async function setLifecycle(tx: Transaction, id: number, policy: string | null): Promise<void> {
  await tx.run(SET_LIFECYCLE, policy, id);
}

/** Notes when a policy was applied; nothing where it is another one by now. */
export async function setEvaluated(tx: Transaction, id: number, policy: string, at: number): Promise<void> {
  await tx.run(SET_EVALUATED, at, id, policy);
}

export async function setPreview(tx: Transaction, id: number, preview: string): Promise<void> {
  await tx.run(SET_PREVIEW, preview, id);
}

export async function getSetting(
  reader: Reader,
  { account, region }: Registry,
  name: string,
): Promise<string | undefined> {
  return (await reader.get<{ value: string }>(SETTING, account, region, name))?.value;
}

export async function putSetting(
  tx: Transaction,
  { account, region }: Registry,
  name: string,
  value: string,
): Promise<void> {
  await tx.run(PUT_SETTING, account, region, name, value);
}

/** The server's own setting; the first caller decides it. */
export async function settle(tx: Transaction, name: string, value: string): Promise<string> {
  await tx.run(SETTLE, name, value);
  return (await tx.get<{ value: string }>(SETTING, "", "", name))?.value ?? value;
}
