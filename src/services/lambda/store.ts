/** All SQL of functions and their versions. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { Configuration } from "./configuration.ts";
import type { FunctionId } from "./names.ts";

export type State = "Pending" | "Active" | "Failed";
export type UpdateStatus = "InProgress" | "Successful" | "Failed";

/** What invocations of a version run. */
export interface Deployed {
  /** Changes with code or configuration; names the execution environments. */
  readonly deployment: string;
  readonly configuration: Configuration;
  /** Lower-case hex; names the blob and the unpacked folder. */
  readonly codeSha256: string;
}

/** One version of a function; number 0 is $LATEST. */
export interface VersionRow extends Deployed {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly number: number;
  readonly fingerprint: string;
  readonly codeBytes: number;
  readonly unzippedBytes: number;
  readonly revision: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  readonly state: State;
  readonly stateCode: string | null;
  readonly stateReason: string | null;
  readonly updateStatus: UpdateStatus | null;
  readonly updateCode: string | null;
  readonly updateReason: string | null;
  /** What runs while an update is in progress or after it failed; null when the row itself does. */
  readonly serving: Deployed | null;
}

interface RawVersion {
  account: string;
  region: string;
  name: string;
  number: number;
  deployment: string;
  configuration: string;
  fingerprint: string;
  code_sha256: string;
  code_bytes: number;
  unzipped_bytes: number;
  revision: string;
  last_modified: number;
  state: State;
  state_code: string | null;
  state_reason: string | null;
  update_status: UpdateStatus | null;
  update_code: string | null;
  update_reason: string | null;
  serving: string | null;
  serving_code: string | null;
}

const KEY = "account = ? AND region = ? AND name = ?";

const FUNCTION = sql("lambda.function", `SELECT tags FROM lambda_functions WHERE ${KEY}`);
const INSERT_FUNCTION = sql(
  "lambda.insert-function",
  "INSERT INTO lambda_functions (account, region, name, tags) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
);
const UPDATE_TAGS = sql("lambda.update-tags", `UPDATE lambda_functions SET tags = ? WHERE ${KEY}`);
const DELETE_FUNCTION = sql("lambda.delete-function", `DELETE FROM lambda_functions WHERE ${KEY}`);
const VERSION = sql("lambda.version", `SELECT * FROM lambda_versions WHERE ${KEY} AND number = ?`);
const VERSIONS = sql("lambda.versions", `SELECT * FROM lambda_versions WHERE ${KEY} ORDER BY number`);
const PUBLISHED_MAX = sql(
  "lambda.newest-published",
  `SELECT * FROM lambda_versions WHERE ${KEY} AND number > 0 ORDER BY number DESC LIMIT 1`,
);
const LATEST_PAGE = sql(
  "lambda.latest-page",
  `SELECT * FROM lambda_versions WHERE account = ? AND region = ? AND number = 0 AND name > ?
   ORDER BY name LIMIT ?`,
);
const ALL_PAGE = sql(
  "lambda.all-page",
  `SELECT * FROM lambda_versions WHERE account = ? AND region = ? AND (name > ? OR (name = ? AND number > ?))
   ORDER BY name, number LIMIT ?`,
);
const VERSION_PAGE = sql(
  "lambda.version-page",
  `SELECT * FROM lambda_versions WHERE ${KEY} AND number > ? ORDER BY number LIMIT ?`,
);
const COLUMNS = [
  "deployment",
  "configuration",
  "fingerprint",
  "code_sha256",
  "code_bytes",
  "unzipped_bytes",
  "revision",
  "last_modified",
  "state",
  "state_code",
  "state_reason",
  "update_status",
  "update_code",
  "update_reason",
  "serving",
  "serving_code",
] as const;
const SAVE_VERSION = sql(
  "lambda.save-version",
  `INSERT INTO lambda_versions (account, region, name, number, ${COLUMNS.join(", ")})
   VALUES (?, ?, ?, ?, ${COLUMNS.map(() => "?").join(", ")})
   ON CONFLICT (account, region, name, number) DO UPDATE SET
   ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(", ")}`,
);
const TOUCH = sql(
  "lambda.touch-version",
  `UPDATE lambda_versions SET revision = ? WHERE ${KEY} AND number = ?`,
);
const DELETE_VERSION = sql(
  "lambda.delete-version",
  `DELETE FROM lambda_versions WHERE ${KEY} AND number = ?`,
);
const DELETE_VERSIONS = sql("lambda.delete-versions", `DELETE FROM lambda_versions WHERE ${KEY}`);
const NEXT_NUMBER = sql(
  "lambda.next-number",
  `INSERT INTO lambda_version_counters (account, region, name, last_number) VALUES (?, ?, ?, 1)
   ON CONFLICT (account, region, name) DO UPDATE SET last_number = lambda_version_counters.last_number + 1
   RETURNING last_number AS number`,
);
const UNFINISHED = sql(
  "lambda.unfinished",
  "SELECT * FROM lambda_versions WHERE state = 'Pending' OR update_status = 'InProgress'",
);
const CODE_USES = sql(
  "lambda.code-uses",
  "SELECT COUNT(*) AS uses FROM lambda_versions WHERE code_sha256 = ? OR serving_code = ?",
);
const CODES = sql(
  "lambda.codes",
  `SELECT code_sha256 AS code FROM lambda_versions
   UNION SELECT serving_code AS code FROM lambda_versions WHERE serving_code IS NOT NULL`,
);
const USAGE = sql(
  "lambda.usage",
  `SELECT COUNT(CASE WHEN number = 0 THEN 1 END) AS functions, COALESCE(SUM(code_bytes), 0) AS zipped,
   COALESCE(SUM(unzipped_bytes), 0) AS unzipped FROM lambda_versions WHERE account = ? AND region = ?`,
);
const SETTING = sql("lambda.setting", "SELECT value FROM lambda_settings WHERE name = ?");
const INSERT_SETTING = sql(
  "lambda.insert-setting",
  "INSERT INTO lambda_settings (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
);

const key = (id: FunctionId) => [id.account, id.region, id.name] as const;

/** The function's tags, or undefined when there is no such function. */
export async function readTags(reader: Reader, id: FunctionId): Promise<Record<string, string> | undefined> {
  const row = await reader.get<{ tags: string }>(FUNCTION, ...key(id));
  return row && (JSON.parse(row.tags) as Record<string, string>);
}

/** False when a function of that name exists. */
export async function insertFunction(
  tx: Transaction,
  id: FunctionId,
  tags: Record<string, string>,
): Promise<boolean> {
  return (await tx.run(INSERT_FUNCTION, ...key(id), JSON.stringify(tags))) > 0;
}

export async function saveTags(tx: Transaction, id: FunctionId, tags: Record<string, string>): Promise<void> {
  await tx.run(UPDATE_TAGS, JSON.stringify(tags), ...key(id));
}

/** Removes the function and every version of it; its version numbers are never given again. */
export async function deleteFunction(tx: Transaction, id: FunctionId): Promise<void> {
  await tx.run(DELETE_VERSIONS, ...key(id));
  await tx.run(DELETE_FUNCTION, ...key(id));
}

export async function readVersion(
  reader: Reader,
  id: FunctionId,
  number: number,
): Promise<VersionRow | undefined> {
  const row = await reader.get<RawVersion>(VERSION, ...key(id), number);
  return row && parse(row);
}

/** Every version, $LATEST first. */
export async function readVersions(reader: Reader, id: FunctionId): Promise<VersionRow[]> {
  return (await reader.all<RawVersion>(VERSIONS, ...key(id))).map(parse);
}

export async function newestPublished(reader: Reader, id: FunctionId): Promise<VersionRow | undefined> {
  const row = await reader.get<RawVersion>(PUBLISHED_MAX, ...key(id));
  return row && parse(row);
}

/** $LATEST of every function whose name follows `after`, in order of name. */
export async function latestPage(
  reader: Reader,
  account: string,
  region: string,
  after: string,
  count: number,
) {
  return (await reader.all<RawVersion>(LATEST_PAGE, account, region, after, count)).map(parse);
}

/** Every version of every function that follows (name, number). */
export async function allPage(
  reader: Reader,
  account: string,
  region: string,
  after: { name: string; number: number },
  count: number,
): Promise<VersionRow[]> {
  const rows = await reader.all<RawVersion>(
    ALL_PAGE,
    account,
    region,
    after.name,
    after.name,
    after.number,
    count,
  );
  return rows.map(parse);
}

export async function versionPage(
  reader: Reader,
  id: FunctionId,
  after: number,
  count: number,
): Promise<VersionRow[]> {
  return (await reader.all<RawVersion>(VERSION_PAGE, ...key(id), after, count)).map(parse);
}

/** Inserts or replaces a version. */
export async function saveVersion(tx: Transaction, row: VersionRow): Promise<void> {
  await tx.run(
    SAVE_VERSION,
    ...key(row),
    row.number,
    row.deployment,
    JSON.stringify(row.configuration),
    row.fingerprint,
    row.codeSha256,
    row.codeBytes,
    row.unzippedBytes,
    row.revision,
    row.lastModified,
    row.state,
    row.stateCode,
    row.stateReason,
    row.updateStatus,
    row.updateCode,
    row.updateReason,
    row.serving && JSON.stringify(row.serving),
    row.serving && row.serving.codeSha256,
  );
}

/** Gives a version a new revision id, as a change of its policy does. */
export async function touchVersion(
  tx: Transaction,
  id: FunctionId,
  number: number,
  revision: string,
): Promise<void> {
  await tx.run(TOUCH, revision, ...key(id), number);
}

export async function deleteVersion(tx: Transaction, id: FunctionId, number: number): Promise<void> {
  await tx.run(DELETE_VERSION, ...key(id), number);
}

/** The next version number; never one that was given before, even to a deleted function of the same name. */
export async function nextNumber(tx: Transaction, id: FunctionId): Promise<number> {
  const row = await tx.get<{ number: number }>(NEXT_NUMBER, ...key(id));
  if (!row) throw new Error("The version counter answered no row");
  return row.number;
}

/** Versions whose creation or update a stopped server left unfinished. */
export async function readUnfinished(reader: Reader): Promise<VersionRow[]> {
  return (await reader.all<RawVersion>(UNFINISHED)).map(parse);
}

export async function isCodeUsed(reader: Reader, sha256: string): Promise<boolean> {
  return ((await reader.get<{ uses: number }>(CODE_USES, sha256, sha256))?.uses ?? 0) > 0;
}

/** Every code that some version refers to. */
export async function usedCodes(reader: Reader): Promise<Set<string>> {
  return new Set((await reader.all<{ code: string }>(CODES)).map((row) => row.code));
}

/** Number of functions, and bytes of all versions' zips and of their content. */
export async function readUsage(reader: Reader, account: string, region: string) {
  const row = await reader.get<{ functions: number; zipped: number; unzipped: number }>(
    USAGE,
    account,
    region,
  );
  // PostgreSQL sums bigint to numeric, which arrives as text.
  return { functions: Number(row?.functions), zipped: Number(row?.zipped), unzipped: Number(row?.unzipped) };
}

/** A setting's value; the first caller decides it. */
export async function settle(tx: Transaction, name: string, value: string): Promise<string> {
  await tx.run(INSERT_SETTING, name, value);
  return (await tx.get<{ value: string }>(SETTING, name))?.value ?? value;
}

function parse(row: RawVersion): VersionRow {
  return {
    account: row.account,
    region: row.region,
    name: row.name,
    number: row.number,
    deployment: row.deployment,
    configuration: JSON.parse(row.configuration) as Configuration,
    fingerprint: row.fingerprint,
    codeSha256: row.code_sha256,
    codeBytes: row.code_bytes,
    unzippedBytes: row.unzipped_bytes,
    revision: row.revision,
    lastModified: row.last_modified,
    state: row.state,
    stateCode: row.state_code,
    stateReason: row.state_reason,
    updateStatus: row.update_status,
    updateCode: row.update_code,
    updateReason: row.update_reason,
    serving: row.serving === null ? null : (JSON.parse(row.serving) as Deployed),
  };
}
