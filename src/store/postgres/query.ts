/** Runs a statement prepared under its name on a PostgreSQL connection. */
import type { Pool, PoolClient, QueryResult } from "pg";
import type { SqlValue, Statement } from "../database.ts";
import { StatementError } from "../statement-error.ts";
import { numberParameters } from "./translate.ts";

/** Texts with numbered parameters that are kept. */
const TEXTS_MAX = 2_000;

const texts = new Map<string, string>();

/** @throws StatementError whose cause is PostgreSQL's error. */
export async function query(
  connection: Pool | PoolClient,
  statement: Statement,
  parameters: readonly SqlValue[],
): Promise<QueryResult<Record<string, unknown>>> {
  try {
    return await connection.query({
      name: statement.name,
      text: numbered(statement.text),
      values: [...parameters],
    });
  } catch (error) {
    throw new StatementError(statement, error);
  }
}

function numbered(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size >= TEXTS_MAX) texts.clear();
  const translated = numberParameters(text);
  texts.set(text, translated);
  return translated;
}
