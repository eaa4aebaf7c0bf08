/** SQL of code signing configurations, and of which functions have them. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { FunctionId } from "./names.ts";

/** A configuration of one account and region. */
export interface CodeSigningConfigId {
  readonly account: string;
  readonly region: string;
  /** `csc-` and 17 characters. */
  readonly id: string;
}

export interface CodeSigningConfigRow extends CodeSigningConfigId {
  readonly description: string;
  /** ARNs of signing profile versions. */
  readonly publishers: readonly string[];
  /** What becomes of code that none of them signed. */
  readonly untrusted: "Warn" | "Enforce";
  readonly tags: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly lastModified: number;
}

interface RawConfig extends CodeSigningConfigId {
  readonly description: string;
  readonly publishers: string;
  readonly untrusted: "Warn" | "Enforce";
  readonly tags: string;
  readonly lastModified: number | string;
}

const FIELDS = `account, region, id, description, publishers, untrusted, tags, last_modified AS "lastModified"`;

const CONFIG = sql(
  "lambda.code-signing-config",
  `SELECT ${FIELDS} FROM lambda_code_signing_configs WHERE account = ? AND region = ? AND id = ?`,
);
const PAGE = sql(
  "lambda.code-signing-config-page",
  `SELECT ${FIELDS} FROM lambda_code_signing_configs WHERE account = ? AND region = ? AND id > ? ORDER BY id LIMIT ?`,
);
const SAVE = sql(
  "lambda.save-code-signing-config",
  `INSERT INTO lambda_code_signing_configs
   (account, region, id, description, publishers, untrusted, tags, last_modified) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (account, region, id) DO UPDATE SET description = excluded.description,
   publishers = excluded.publishers, untrusted = excluded.untrusted, tags = excluded.tags,
   last_modified = excluded.last_modified`,
);
const DELETE = sql(
  "lambda.delete-code-signing-config",
  "DELETE FROM lambda_code_signing_configs WHERE account = ? AND region = ? AND id = ?",
);
const OF_FUNCTION = sql(
  "lambda.code-signing-config-of-function",
  `SELECT code_signing_config AS "configId" FROM lambda_functions WHERE account = ? AND region = ? AND name = ?`,
);
const SAVE_OF_FUNCTION = sql(
  "lambda.save-code-signing-config-of-function",
  "UPDATE lambda_functions SET code_signing_config = ? WHERE account = ? AND region = ? AND name = ?",
);
const FUNCTIONS = sql(
  "lambda.functions-of-code-signing-config",
  `SELECT name FROM lambda_functions WHERE account = ? AND region = ? AND code_signing_config = ? AND name > ?
   ORDER BY name LIMIT ?`,
);

const key = ({ account, region, id }: CodeSigningConfigId) => [account, region, id] as const;

export async function readConfig(
  reader: Reader,
  id: CodeSigningConfigId,
): Promise<CodeSigningConfigRow | undefined> {
  const row = await reader.get<RawConfig>(CONFIG, ...key(id));
  return row && parse(row);
}

/** In order of id. */
export async function configPage(
  reader: Reader,
  after: CodeSigningConfigId,
  count: number,
): Promise<CodeSigningConfigRow[]> {
  return (await reader.all<RawConfig>(PAGE, ...key(after), count)).map(parse);
}

/** Inserts or replaces one. */
export async function saveConfig(tx: Transaction, row: CodeSigningConfigRow): Promise<void> {
  const { description, publishers, untrusted, tags, lastModified } = row;
  const lists = [JSON.stringify(publishers), untrusted, JSON.stringify(tags)] as const;
  await tx.run(SAVE, ...key(row), description, ...lists, lastModified);
}

export async function deleteConfig(tx: Transaction, id: CodeSigningConfigId): Promise<void> {
  await tx.run(DELETE, ...key(id));
}

/** The id of a function's; undefined where it has none, or there is no such function. */
export async function configOfFunction(reader: Reader, id: FunctionId): Promise<string | undefined> {
  const row = await reader.get<{ configId: string | null }>(OF_FUNCTION, id.account, id.region, id.name);
  return row?.configId ?? undefined;
}

export async function saveConfigOfFunction(
  tx: Transaction,
  { account, region, name }: FunctionId,
  configId: string | null,
): Promise<void> {
  await tx.run(SAVE_OF_FUNCTION, configId, account, region, name);
}

/** The names of functions that have a configuration, in their order. */
export async function functionsOfConfig(
  reader: Reader,
  id: CodeSigningConfigId,
  after: string,
  count: number,
): Promise<string[]> {
  return (await reader.all<{ name: string }>(FUNCTIONS, ...key(id), after, count)).map(({ name }) => name);
}

function parse(row: RawConfig): CodeSigningConfigRow {
  return {
    ...row,
    publishers: JSON.parse(row.publishers) as string[],
    tags: JSON.parse(row.tags) as Record<string, string>,
    // PostgreSQL's bigint may arrive as text.
    lastModified: Number(row.lastModified),
  };
}
