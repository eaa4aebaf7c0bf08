/** SQL that looks at many versions at once: pages of lists, code in use, totals, and what is unfinished. */
import { sql } from "../../store/database.ts";
import type { Reader } from "../../store/database.ts";
import type { FunctionId } from "./names.ts";
import { parseVersion } from "./version-row.ts";
import type { RawVersion, VersionRow } from "./version-row.ts";

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
  `SELECT * FROM lambda_versions WHERE account = ? AND region = ? AND name = ? AND number > ? ORDER BY number LIMIT ?`,
);
const UNFINISHED = sql(
  "lambda.unfinished",
  "SELECT * FROM lambda_versions WHERE state = 'Pending' OR update_status = 'InProgress'",
);
const WITH_SNAPSHOTS = sql(
  "lambda.with-snapshots",
  `SELECT deployment FROM lambda_versions WHERE number > 0 AND configuration LIKE '%"snapStart":true%'`,
);
const NEWEST = sql("lambda.newest", "SELECT * FROM lambda_versions ORDER BY last_modified DESC LIMIT ?");
const CODE_USES = sql(
  "lambda.code-uses",
  `SELECT (SELECT COUNT(*) FROM lambda_versions WHERE code_sha256 = ? OR serving_code = ?)
   + (SELECT COUNT(*) FROM lambda_version_layers WHERE code_sha256 = ?)
   + (SELECT COUNT(*) FROM lambda_layer_versions WHERE code_sha256 = ?) AS uses`,
);
const IMAGE_USES = sql(
  "lambda.image-uses",
  "SELECT COUNT(*) AS uses FROM lambda_versions WHERE code_sha256 LIKE ? OR serving_code LIKE ?",
);
const CODES = sql(
  "lambda.codes",
  `SELECT code_sha256 AS code, MAX(unzipped_bytes) AS bytes FROM lambda_versions GROUP BY code_sha256
   UNION ALL SELECT serving_code AS code, NULL AS bytes FROM lambda_versions WHERE serving_code IS NOT NULL
   UNION ALL SELECT code_sha256 AS code, CAST(NULL AS bigint) AS bytes FROM lambda_version_layers
   UNION ALL SELECT code_sha256 AS code, unzipped_bytes AS bytes FROM lambda_layer_versions`,
);
const USAGE = sql(
  "lambda.usage",
  `SELECT COALESCE(SUM(functions), 0) AS functions, COALESCE(SUM(zipped), 0) AS zipped,
   COALESCE(SUM(unzipped), 0) AS unzipped FROM (
     SELECT CASE WHEN number = 0 THEN 1 ELSE 0 END AS functions, code_bytes AS zipped, unzipped_bytes AS unzipped
     FROM lambda_versions WHERE account = ? AND region = ?
     UNION ALL SELECT 0 AS functions, code_bytes AS zipped, unzipped_bytes AS unzipped
     FROM lambda_layer_versions WHERE account = ? AND region = ?
   ) AS stored`,
);

/** $LATEST of every function whose name follows `after`, in order of name. */
export async function latestPage(
  reader: Reader,
  account: string,
  region: string,
  after: string,
  count: number,
) {
  return (await reader.all<RawVersion>(LATEST_PAGE, account, region, after, count)).map(parseVersion);
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
  return rows.map(parseVersion);
}

export async function versionPage(
  reader: Reader,
  id: FunctionId,
  after: number,
  count: number,
): Promise<VersionRow[]> {
  return (await reader.all<RawVersion>(VERSION_PAGE, id.account, id.region, id.name, after, count)).map(
    parseVersion,
  );
}

/** The deployments of published versions with SnapStart. */
export async function readSnapshotted(reader: Reader): Promise<Set<string>> {
  const rows = await reader.all<{ deployment: string }>(WITH_SNAPSHOTS);
  return new Set(rows.map(({ deployment }) => deployment));
}

/** Versions whose creation or update a stopped server left unfinished. */
export async function readUnfinished(reader: Reader): Promise<VersionRow[]> {
  return (await reader.all<RawVersion>(UNFINISHED)).map(parseVersion);
}

/** The versions, of whatever function, that were made or changed last; the newest is first. */
export async function newestVersions(reader: Reader, count: number): Promise<VersionRow[]> {
  return (await reader.all<RawVersion>(NEWEST, count)).map(parseVersion);
}

export async function isCodeUsed(reader: Reader, sha256: string): Promise<boolean> {
  return ((await reader.get<{ uses: number }>(CODE_USES, sha256, sha256, sha256, sha256))?.uses ?? 0) > 0;
}

/** Whether some version's code is an image. @param suffix The end of all codes that stand for it. */
export async function isImageUsed(reader: Reader, suffix: string): Promise<boolean> {
  const pattern = `image:%${suffix}`;
  // PostgreSQL's counts arrive as text.
  return Number((await reader.get<{ uses: number | string }>(IMAGE_USES, pattern, pattern))?.uses ?? 0) > 0;
}

/** Every code that some version refers to, with the bytes of its files where a version tells them. */
export async function usedCodes(reader: Reader): Promise<Map<string, number | undefined>> {
  const codes = new Map<string, number | undefined>();
  // PostgreSQL's bigint may arrive as text.
  for (const { code, bytes } of await reader.all<{ code: string; bytes: number | string | null }>(CODES))
    codes.set(code, bytes === null ? codes.get(code) : Number(bytes));
  return codes;
}

/** Number of functions, and bytes of the zips of all versions, of functions and of layers, and of their content. */
export async function readUsage(reader: Reader, account: string, region: string) {
  const row = await reader.get<{ functions: number; zipped: number; unzipped: number }>(
    USAGE,
    account,
    region,
    account,
    region,
  );
  // PostgreSQL sums bigint to numeric, which arrives as text.
  return { functions: Number(row?.functions), zipped: Number(row?.zipped), unzipped: Number(row?.unzipped) };
}
