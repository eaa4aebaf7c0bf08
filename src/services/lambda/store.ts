/** SQL of functions and of one version at a time. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import { layerCodes } from "./layers.ts";
import type { FunctionId } from "./names.ts";
import { parseVersion } from "./version-row.ts";
import type { RawVersion, VersionRow } from "./version-row.ts";

/** Whether a recursive loop is stopped. */
export type RecursiveLoop = "Allow" | "Terminate";

const KEY = "account = ? AND region = ? AND name = ?";

const FUNCTION = sql("lambda.function", `SELECT tags FROM lambda_functions WHERE ${KEY}`);
const INSERT_FUNCTION = sql(
  "lambda.insert-function",
  "INSERT INTO lambda_functions (account, region, name, tags) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
);
const UPDATE_TAGS = sql("lambda.update-tags", `UPDATE lambda_functions SET tags = ? WHERE ${KEY}`);
const RECURSIVE_LOOP = sql(
  "lambda.recursive-loop",
  `SELECT recursive_loop AS "recursiveLoop" FROM lambda_functions WHERE ${KEY}`,
);
const SAVE_RECURSIVE_LOOP = sql(
  "lambda.save-recursive-loop",
  `UPDATE lambda_functions SET recursive_loop = ? WHERE ${KEY}`,
);
const DELETE_FUNCTION = sql("lambda.delete-function", `DELETE FROM lambda_functions WHERE ${KEY}`);
const VERSION = sql("lambda.version", `SELECT * FROM lambda_versions WHERE ${KEY} AND number = ?`);
const VERSIONS = sql("lambda.versions", `SELECT * FROM lambda_versions WHERE ${KEY} ORDER BY number`);
const PUBLISHED_MAX = sql(
  "lambda.newest-published",
  `SELECT * FROM lambda_versions WHERE ${KEY} AND number > 0 ORDER BY number DESC LIMIT 1`,
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
const DELETE_LAYERS_OF_VERSION = sql(
  "lambda.delete-layers-of-version",
  `DELETE FROM lambda_version_layers WHERE ${KEY} AND number = ?`,
);
const DELETE_LAYERS_OF_VERSIONS = sql(
  "lambda.delete-layers-of-versions",
  `DELETE FROM lambda_version_layers WHERE ${KEY}`,
);
const INSERT_LAYER_OF_VERSION = sql(
  "lambda.insert-layer-of-version",
  "INSERT INTO lambda_version_layers (account, region, name, number, code_sha256) VALUES (?, ?, ?, ?, ?)",
);
const NEXT_NUMBER = sql(
  "lambda.next-number",
  `INSERT INTO lambda_version_counters (account, region, name, last_number) VALUES (?, ?, ?, 1)
   ON CONFLICT (account, region, name) DO UPDATE SET last_number = lambda_version_counters.last_number + 1
   RETURNING last_number AS number`,
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
  await tx.run(DELETE_LAYERS_OF_VERSIONS, ...key(id));
  await tx.run(DELETE_FUNCTION, ...key(id));
}

export async function readVersion(
  reader: Reader,
  id: FunctionId,
  number: number,
): Promise<VersionRow | undefined> {
  const row = await reader.get<RawVersion>(VERSION, ...key(id), number);
  return row && parseVersion(row);
}

/** What happens to a function that is called in a loop; undefined when there is no such function. */
export async function readRecursiveLoop(reader: Reader, id: FunctionId): Promise<RecursiveLoop | undefined> {
  return (await reader.get<{ recursiveLoop: RecursiveLoop }>(RECURSIVE_LOOP, ...key(id)))?.recursiveLoop;
}

/** False when there is no such function. */
export async function saveRecursiveLoop(
  tx: Transaction,
  id: FunctionId,
  value: RecursiveLoop,
): Promise<boolean> {
  return (await tx.run(SAVE_RECURSIVE_LOOP, value, ...key(id))) > 0;
}

/** Every version, $LATEST first. */
export async function readVersions(reader: Reader, id: FunctionId): Promise<VersionRow[]> {
  return (await reader.all<RawVersion>(VERSIONS, ...key(id))).map(parseVersion);
}

export async function newestPublished(reader: Reader, id: FunctionId): Promise<VersionRow | undefined> {
  const row = await reader.get<RawVersion>(PUBLISHED_MAX, ...key(id));
  return row && parseVersion(row);
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
  await tx.run(DELETE_LAYERS_OF_VERSION, ...key(row), row.number);
  for (const code of new Set([row, row.serving ?? row].flatMap(layerCodes)))
    await tx.run(INSERT_LAYER_OF_VERSION, ...key(row), row.number, code);
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
  await tx.run(DELETE_LAYERS_OF_VERSION, ...key(id), number);
}

/** The next version number; never one that was given before, even to a deleted function of the same name. */
export async function nextNumber(tx: Transaction, id: FunctionId): Promise<number> {
  const row = await tx.get<{ number: number }>(NEXT_NUMBER, ...key(id));
  if (!row) throw new Error("The version counter answered no row");
  return row.number;
}

/** A setting's value; the first caller decides it. */
export async function settle(tx: Transaction, name: string, value: string): Promise<string> {
  await tx.run(INSERT_SETTING, name, value);
  return (await tx.get<{ value: string }>(SETTING, name))?.value ?? value;
}
