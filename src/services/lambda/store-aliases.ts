/** All SQL of aliases. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { FunctionId } from "./names.ts";

export interface AliasRow {
  readonly name: string;
  /** The version it points to; 0 is $LATEST. */
  readonly number: number;
  /** Version number → share of invocations, 0 to 1. */
  readonly weights: Readonly<Record<string, number>>;
  readonly description: string;
  readonly revision: string;
}

type RawAlias = Omit<AliasRow, "weights"> & { weights: string };

const KEY = "account = ? AND region = ? AND function_name = ?";
const FIELDS = "name, number, weights, description, revision";

const ALIAS = sql("lambda.alias", `SELECT ${FIELDS} FROM lambda_aliases WHERE ${KEY} AND name = ?`);
const ALIASES = sql("lambda.aliases", `SELECT ${FIELDS} FROM lambda_aliases WHERE ${KEY} ORDER BY name`);
const SAVE = sql(
  "lambda.save-alias",
  `INSERT INTO lambda_aliases (account, region, function_name, ${FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (account, region, function_name, name) DO UPDATE SET number = excluded.number,
   weights = excluded.weights, description = excluded.description, revision = excluded.revision`,
);
const DELETE = sql("lambda.delete-alias", `DELETE FROM lambda_aliases WHERE ${KEY} AND name = ?`);
const DELETE_ALL = sql("lambda.delete-aliases", `DELETE FROM lambda_aliases WHERE ${KEY}`);

const key = (id: FunctionId) => [id.account, id.region, id.name] as const;

export async function readAlias(reader: Reader, id: FunctionId, name: string): Promise<AliasRow | undefined> {
  const row = await reader.get<RawAlias>(ALIAS, ...key(id), name);
  return row && parse(row);
}

/** All of a function's aliases by name. */
export async function readAliases(reader: Reader, id: FunctionId): Promise<AliasRow[]> {
  return (await reader.all<RawAlias>(ALIASES, ...key(id))).map(parse);
}

/** Inserts or replaces an alias. */
export async function saveAlias(tx: Transaction, id: FunctionId, alias: AliasRow): Promise<void> {
  await tx.run(
    SAVE,
    ...key(id),
    alias.name,
    alias.number,
    JSON.stringify(alias.weights),
    alias.description,
    alias.revision,
  );
}

export async function deleteAlias(tx: Transaction, id: FunctionId, name: string): Promise<void> {
  await tx.run(DELETE, ...key(id), name);
}

export async function deleteAliases(tx: Transaction, id: FunctionId): Promise<void> {
  await tx.run(DELETE_ALL, ...key(id));
}

function parse(row: RawAlias): AliasRow {
  return { ...row, weights: JSON.parse(row.weights) as Record<string, number> };
}
